# SPDX-License-Identifier: Apache-2.0
"""What git calls a small blob; for those that are there it is computed when they are published."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("storage", "0003_scrub")]

    operations = [
        migrations.AddField(
            model_name="blob",
            name="git_oid",
            field=models.CharField(blank=True, default="", max_length=40),
        ),
    ]
