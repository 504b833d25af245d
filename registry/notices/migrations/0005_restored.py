# SPDX-License-Identifier: Apache-2.0
"""Whoever watches may be told that a checkpoint is served again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notices", "0004_evaluations"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="hook",
            name="notices_hook_events_are_known",
        ),
        migrations.AddConstraint(
            model_name="hook",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "events__contained_by",
                        [
                            "checkpoint.published",
                            "revision.created",
                            "certificate.revoked",
                            "checkpoint.taken-down",
                            "checkpoint.restored",
                            "evaluation.published",
                            "evaluation.withdrawn",
                            "project.moved",
                            "project.ended",
                            "project.taken-down",
                            "access.asked",
                        ],
                    ),
                    ("events__len__gte", 1),
                ),
                name="notices_hook_events_are_known",
            ),
        ),
    ]
