# SPDX-License-Identifier: Apache-2.0
"""Whom the certificate of each statement names, beside it: what a search asks for."""

from cryptography import x509
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# Certificates are used again and again: one update for each, however many statements there are.
LEAVES = "SELECT DISTINCT leaf FROM ledger_statement"
NAME = "UPDATE ledger_statement SET subject = %s WHERE leaf = %s"


def name(_apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Read it from the certificates, while the trigger that refuses all changes is off."""
    with editor.connection.cursor() as cursor:
        cursor.execute(LEAVES)
        leaves = [bytes(leaf) for (leaf,) in cursor.fetchall()]
        for leaf in leaves:
            cursor.execute(NAME, [_uri(leaf), leaf])


def _uri(leaf: bytes) -> str:
    extensions = x509.load_der_x509_certificate(leaf).extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return ", ".join(names.get_values_for_type(x509.UniformResourceIdentifier))


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0004_narrower"),
    ]

    operations = [
        migrations.AddField(
            model_name="statement",
            name="subject",
            field=models.CharField(max_length=400, default=""),
            preserve_default=False,
        ),
        migrations.RunSQL(
            "ALTER TABLE ledger_statement DISABLE TRIGGER ledger_statement_change",
            "ALTER TABLE ledger_statement ENABLE TRIGGER ledger_statement_change",
        ),
        migrations.RunPython(name, migrations.RunPython.noop),
        migrations.RunSQL(
            "ALTER TABLE ledger_statement ENABLE TRIGGER ledger_statement_change",
            "ALTER TABLE ledger_statement DISABLE TRIGGER ledger_statement_change",
        ),
        migrations.AddIndex(
            "statement", models.Index(fields=("subject",), name="ledger_statement_subject")
        ),
    ]
