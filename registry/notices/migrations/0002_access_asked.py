# SPDX-License-Identifier: Apache-2.0
"""One event more: somebody asked for the files of a gated project."""

from django.db import migrations, models

BEFORE = (
    "checkpoint.published",
    "revision.created",
    "certificate.revoked",
    "checkpoint.taken-down",
    "project.moved",
    "project.ended",
    "project.taken-down",
)


class Migration(migrations.Migration):
    dependencies = [("notices", "0001_initial")]

    operations = [
        migrations.RemoveConstraint(model_name="hook", name="notices_hook_events_are_known"),
        migrations.AddConstraint(
            model_name="hook",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("events__contained_by", [*BEFORE, "access.asked"]), ("events__len__gte", 1)
                ),
                name="notices_hook_events_are_known",
            ),
        ),
    ]
