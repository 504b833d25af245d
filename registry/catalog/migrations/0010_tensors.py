# SPDX-License-Identifier: Apache-2.0
"""The tensors of files, each with its digest."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0013_narrower_lists"),
    ]

    operations = [
        migrations.CreateModel(
            name="TensorDigests",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sha256", models.CharField(max_length=64, unique=True)),
                ("count", models.IntegerField()),
                ("proofs", models.IntegerField()),
                ("listed", models.TextField()),
            ],
        ),
        migrations.CreateModel(
            name="Tensor",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sha256", models.BinaryField(max_length=32)),
                (
                    "digests",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="catalog.tensordigests",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["sha256", "id"], name="catalog_tensor_held")],
            },
        ),
    ]
