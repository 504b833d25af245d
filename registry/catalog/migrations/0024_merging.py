# SPDX-License-Identifier: Apache-2.0
"""A pull request knows what it is being merged as, and is not closed meanwhile."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0023_numbers_of_pulls"),
    ]

    operations = [
        migrations.AddField(
            model_name="pull",
            name="merging",
            field=models.CharField(blank=True, default="", max_length=40),
        ),
    ]
