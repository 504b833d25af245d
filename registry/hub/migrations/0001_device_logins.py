# SPDX-License-Identifier: Apache-2.0
"""Programs that wait to be logged in by a browser."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DeviceLogin",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("device_sha256", models.CharField(max_length=64, unique=True)),
                ("user_code", models.CharField(max_length=16, unique=True)),
                ("is_denied", models.BooleanField(default=False)),
                ("polled_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(db_index=True)),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("device_sha256__regex", "^[0-9a-f]{64}$")),
                        name="hub_device_is_hex",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("person__isnull", True), ("is_denied", False), _connector="OR"
                        ),
                        name="hub_device_is_allowed_or_denied",
                    ),
                ],
            },
        ),
    ]
