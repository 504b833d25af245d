# SPDX-License-Identifier: Apache-2.0
"""What was taken down is stated in the ledger; of what was before, the sweep states it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0017_carriers"),
        ("ledger", "0009_blanking_why_it_was_taken_down"),
    ]

    operations = [
        migrations.AddField(
            model_name="checkpoint",
            name="takedown",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ledger.statement",
            ),
        ),
        migrations.AddIndex(
            model_name="checkpoint",
            index=models.Index(
                condition=models.Q(("state", "taken-down"), ("takedown", None)),
                fields=["id"],
                name="catalog_checkpoint_unstated",
            ),
        ),
    ]
