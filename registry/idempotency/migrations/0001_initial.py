# SPDX-License-Identifier: Apache-2.0
"""Tables of idempotency."""

import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Attempt",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("caller", models.CharField(max_length=80)),
                ("route", models.CharField(max_length=500)),
                ("key", models.CharField(max_length=255)),
                ("body_sha256", models.CharField(max_length=64)),
                ("started_at", models.DateTimeField()),
                ("status", models.PositiveSmallIntegerField(null=True)),
                ("headers", models.JSONField(default=dict)),
                ("answer", models.JSONField(null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["started_at"], name="idempotency_by_age")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("caller", "route", "key"), name="idempotency_key_once"
                    )
                ],
            },
        ),
    ]
