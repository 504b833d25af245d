# SPDX-License-Identifier: Apache-2.0
"""Whom the certificate of each statement names, beside it: what a search asks for."""

from functools import lru_cache

from cryptography import x509
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# By the key, in batches: there is no index by certificate, and memory for a million of them neither.
BATCH = "SELECT id, leaf FROM ledger_statement WHERE id > %s ORDER BY id LIMIT 5000"
NAME = """
    UPDATE ledger_statement SET subject = given.subject
    FROM unnest(%s::bigint[], %s::text[]) AS given (id, subject)
    WHERE ledger_statement.id = given.id
"""


def name(_apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Read it from the certificates, while the trigger that refuses all changes is off."""
    with editor.connection.cursor() as cursor:
        cursor.execute(BATCH, [0])
        while rows := cursor.fetchall():
            keys, leaves = zip(*rows, strict=True)
            cursor.execute(NAME, [list(keys), [_uri(bytes(leaf)) for leaf in leaves]])
            cursor.execute(BATCH, [keys[-1]])


@lru_cache(maxsize=1024)  # certificates are used again and again
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
