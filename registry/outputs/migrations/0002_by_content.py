# SPDX-License-Identifier: Apache-2.0
"""Finds what was signed of a content by its digest."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("outputs", "0001_initial"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="output",
            index=models.Index(
                condition=models.Q(("state", "signed")),
                fields=["sha256", "is_sample", "caller"],
                name="outputs_by_content",
            ),
        ),
        migrations.AddIndex(
            model_name="output",
            index=models.Index(
                condition=models.Q(("state", "signed")),
                fields=["normalised_sha256", "is_sample", "caller"],
                name="outputs_by_normalised",
            ),
        ),
    ]
