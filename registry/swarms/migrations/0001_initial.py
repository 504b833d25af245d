# SPDX-License-Identifier: Apache-2.0
"""Digests of the pieces of files, made when they are first asked for."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("storage", "0004_blob_git_oid"),
    ]

    operations = [
        migrations.CreateModel(
            name="Pieces",
            fields=[
                (
                    "blob",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="storage.blob",
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("made_at", models.DateTimeField(null=True)),
                ("piece_bytes", models.BigIntegerField(default=0)),
                ("sha256s", models.BinaryField(default=b"")),
                ("sha1s", models.BinaryField(default=b"")),
                ("layer", models.BinaryField(default=b"")),
                ("root", models.BinaryField(default=b"")),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("made_at__isnull", True), ("piece_bytes", 0)),
                            ("piece_bytes__gt", 0),
                            _connector="OR",
                        ),
                        name="swarms_pieces_made_are_whole",
                    )
                ],
            },
        ),
    ]
