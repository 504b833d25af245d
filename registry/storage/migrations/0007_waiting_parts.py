# SPDX-License-Identifier: Apache-2.0
"""Parts of blobs that have come before the rest of them, one of a number."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("storage", "0004_blob_git_oid")]

    operations = [
        migrations.CreateModel(
            name="WaitingPart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("holder", models.CharField(max_length=80)),
                ("whole", models.CharField(max_length=64)),
                ("whole_bytes", models.BigIntegerField()),
                ("number", models.PositiveIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                ("size_bytes", models.BigIntegerField()),
                ("file", models.CharField(max_length=32, unique=True)),
                ("came_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("holder", "whole", "number"), name="storage_part_once"
                    ),
                    models.CheckConstraint(
                        condition=Q(("whole_bytes__gte", 0), ("size_bytes__gte", 0)),
                        name="storage_part_sizes_are_not_negative",
                    ),
                ],
            },
        ),
    ]
