# SPDX-License-Identifier: Apache-2.0
"""A pseudonym for each person; certificates from before name them in clear until they expire."""

import secrets

import django.db.models.deletion
from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Model, QuerySet

from assay.signing.statements import SALT_BYTES, party_commitment


def give(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    """To whoever has a name already; the formats that this rests on are permanent."""
    pseudonym, user = (apps.get_model("accounts", name) for name in ("Pseudonym", "User"))
    people: QuerySet[Model] = QuerySet(user)
    for namespace, name in people.values_list("namespace", "namespace__name").order_by("pk"):
        salt = secrets.token_bytes(SALT_BYTES)
        commitment = party_commitment(salt, f"{settings.PUBLIC_URL}/{name}")
        pseudonym(namespace_id=namespace, salt=salt, commitment=commitment).save()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_token_project"),
    ]

    operations = [
        migrations.CreateModel(
            name="Pseudonym",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("salt", models.BinaryField()),
                ("commitment", models.CharField(max_length=64, unique=True)),
                (
                    "namespace",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.namespace",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("commitment__regex", "^[0-9a-f]{64}$")),
                        name="accounts_pseudonym_commitment_is_hex",
                    )
                ],
            },
        ),
        migrations.RunPython(give, migrations.RunPython.noop),
    ]
