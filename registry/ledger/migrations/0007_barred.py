# SPDX-License-Identifier: Apache-2.0
"""Certificates under which nothing more is recorded; a trigger keeps them as they are."""

from django.db import migrations, models

FOR_EVER = """
CREATE TRIGGER ledger_barred_change BEFORE UPDATE OR DELETE ON ledger_barred
FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change()
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0006_blanking")]

    operations = [
        migrations.CreateModel(
            name="Barred",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("serial", models.CharField(max_length=40, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.RunSQL(FOR_EVER, "DROP TRIGGER ledger_barred_change ON ledger_barred"),
    ]
