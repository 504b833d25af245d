# SPDX-License-Identifier: Apache-2.0
"""Which checkpoints have tensors of which others."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0010_tensors"),
    ]

    operations = [
        migrations.CreateModel(
            name="Descent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("same", models.IntegerField()),
                ("of", models.IntegerField()),
                (
                    "child",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="catalog.checkpoint",
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="catalog.checkpoint",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("child", "parent"), name="catalog_descent_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(same__gte=1, same__lte=models.F("of")),
                        name="catalog_descent_has_some",
                    ),
                ],
            },
        ),
    ]
