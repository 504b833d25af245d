# SPDX-License-Identifier: Apache-2.0
"""What ended no longer counts in its owner's quota, also of projects that ended before."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0018_stated_takedowns")]

    operations = [
        migrations.AddField(
            model_name="project",
            name="given_back_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="project",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", False), ("given_back_at", None)),
                fields=["ended_at"],
                name="catalog_project_over",
            ),
        ),
    ]
