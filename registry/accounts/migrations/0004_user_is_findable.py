# SPDX-License-Identifier: Apache-2.0
"""Whether a person has consented to be found in the ledger; nobody has who was not asked."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_pseudonym"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="is_findable",
            field=models.BooleanField(default=False),
        ),
    ]
