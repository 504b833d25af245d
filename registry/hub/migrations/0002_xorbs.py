# SPDX-License-Identifier: Apache-2.0
"""What is sent by Xet: xorbs, and in which blobs their chunks are."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("hub", "0001_device_logins"),
    ]

    operations = [
        migrations.CreateModel(
            name="Xorb",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("holder", models.CharField(max_length=80)),
                ("name", models.CharField(max_length=64)),
                ("chunks", models.BinaryField()),
                ("staged", models.CharField(blank=True, max_length=64)),
                ("is_released", models.BooleanField(default=False)),
                ("sent_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("staged", ""), _negated=True),
                        fields=["sent_at"],
                        name="hub_xorb_staged",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("holder", "name"), name="hub_xorb_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("name__regex", "^[0-9a-f]{64}$"),
                            ("staged__regex", "^([0-9a-f]{64})?$"),
                        ),
                        name="hub_xorb_is_named_by_hashes",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Extent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("first", models.IntegerField()),
                ("end", models.IntegerField()),
                ("sha256", models.CharField(max_length=64)),
                ("offset", models.BigIntegerField()),
                (
                    "xorb",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="hub.xorb"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("first__gte", 0), ("end__gt", models.F("first")), ("offset__gte", 0)
                        ),
                        name="hub_extent_has_chunks",
                    )
                ],
            },
        ),
    ]
