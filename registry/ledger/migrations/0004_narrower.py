# SPDX-License-Identifier: Apache-2.0
"""No index that nobody reads, and no attempt to compress signatures and hashes.

PostgreSQL tries to compress what is longer than 2 KB; what is kept here hardly can be, and the
attempts took a third of the time of a row. Rows of before are read as they are.
"""

from django.db import migrations, models

UNCOMPRESSED = {
    "ledger_entry": ("body",),
    "ledger_statement": ("payload", "signature", "leaf", "intermediate", "timestamp"),
}


def _storage(kind: str) -> str:
    return "".join(
        f"ALTER TABLE {table} "
        + ", ".join(f"ALTER COLUMN {column} SET STORAGE {kind}" for column in columns)
        + ";\n"
        for table, columns in UNCOMPRESSED.items()
    )


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_precertificates")]

    operations = [
        migrations.AlterField("entry", "leaf_hash", models.CharField(max_length=64)),
        migrations.AddConstraint(
            "entry", models.UniqueConstraint(fields=("leaf_hash",), name="ledger_entry_leaf")
        ),
        migrations.AlterField("statement", "sha256", models.CharField(max_length=64)),
        migrations.AddConstraint(
            "statement",
            models.UniqueConstraint(fields=("sha256",), name="ledger_statement_sha256"),
        ),
        migrations.RunSQL(_storage("EXTERNAL"), _storage("EXTENDED")),
    ]
