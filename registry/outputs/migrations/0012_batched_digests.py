# SPDX-License-Identifier: Apache-2.0
"""Outputs of batches are found by their content: those of batches from before, too."""

from __future__ import annotations

import struct

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

DIGEST_BYTES = 32
PREFIX_CHARACTERS = 16
KEEP = """
    INSERT INTO outputs_batcheddigest (prefix, batch_id)
    SELECT DISTINCT prefix, %s::uuid FROM unnest(%s::bigint[]) AS given (prefix)
"""


def fill(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """A batch at a time; what was erased has no digests."""
    rows = apps.get_model("outputs", "Batch").objects.only("pk", "digests", "normalised")
    for batch in rows.order_by("pk").iterator(chunk_size=1):
        data = bytes(batch.digests)
        starts = [data[at : at + 8] for at in range(0, len(data), DIGEST_BYTES)]
        stated = [each for each in batch.normalised.split("\n") if each]
        starts += [bytes.fromhex(each[:PREFIX_CHARACTERS]) for each in stated]
        found = [struct.unpack(">q", each)[0] for each in starts]
        with editor.connection.cursor() as cursor:
            cursor.execute(KEEP, [batch.pk, found])


class Migration(migrations.Migration):
    dependencies = [("outputs", "0011_own_lists")]

    operations = [
        migrations.CreateModel(
            name="BatchedDigest",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "prefix",
                        "batch_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("prefix", models.BigIntegerField()),
                (
                    "batch",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="outputs.batch",
                    ),
                ),
            ],
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
