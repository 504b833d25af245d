# SPDX-License-Identifier: Apache-2.0
"""What witnesses sign of tree heads; append-only, as everything in the ledger."""

import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
CREATE TRIGGER ledger_cosignature_change BEFORE UPDATE OR DELETE ON ledger_cosignature
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
"""
BACKWARD = "DROP TRIGGER ledger_cosignature_change ON ledger_cosignature;"


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Cosignature",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("witness", models.TextField()),
                ("lines", models.TextField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "head",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.treehead",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("head", "witness"), name="ledger_cosignature_once"
                    )
                ],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
