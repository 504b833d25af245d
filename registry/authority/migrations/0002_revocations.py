# SPDX-License-Identifier: Apache-2.0
"""Revocations, which a trigger of the ledger's keeps as they are, and the newest lists."""

import django.db.models.deletion
from django.db import migrations, models

FOR_EVER = """
CREATE TRIGGER authority_revocation_change BEFORE UPDATE OR DELETE ON authority_revocation
FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change()
"""


class Migration(migrations.Migration):
    dependencies = [
        ("authority", "0001_initial"),
        ("ledger", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="RevocationList",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("issuer", models.CharField(max_length=20, unique=True)),
                ("der", models.BinaryField()),
                ("this_update", models.DateTimeField()),
                ("next_update", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Revocation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reason", models.CharField(max_length=30)),
                ("revoked_at", models.DateTimeField()),
                ("invalid_from", models.DateTimeField(null=True)),
                (
                    "certificate",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="authority.certificate",
                    ),
                ),
                (
                    "statement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.statement",
                    ),
                ),
            ],
        ),
        migrations.RunSQL(
            FOR_EVER, "DROP TRIGGER authority_revocation_change ON authority_revocation"
        ),
    ]
