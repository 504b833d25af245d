# SPDX-License-Identifier: Apache-2.0
"""Batches: many contents that are signed together."""

import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_founder"),
        ("catalog", "0027_index_of_versions"),
        ("ledger", "0010_sizes_of_what_was_cosigned"),
        ("outputs", "0004_pieces"),
    ]

    operations = [
        migrations.CreateModel(
            name="Batch",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("leased", "Leased"),
                            ("generated", "Generated"),
                            ("signed", "Signed"),
                            ("failed", "Failed"),
                        ],
                        default="generated",
                        max_length=10,
                    ),
                ),
                ("count", models.PositiveIntegerField()),
                ("root", models.CharField(max_length=64)),
                ("salt", models.BinaryField()),
                ("digests", models.BinaryField()),
                ("normalised", models.TextField(blank=True)),
                ("media_types", models.TextField(blank=True)),
                ("failure", models.CharField(blank=True, max_length=40)),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "caller",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.namespace",
                    ),
                ),
                (
                    "checkpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.checkpoint",
                    ),
                ),
                (
                    "statement",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.statement",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "batches",
                "indexes": [
                    models.Index(fields=["caller", "created_at"], name="outputs_batch_of_caller"),
                    models.Index(
                        condition=models.Q(("state", "generated")),
                        fields=["created_at"],
                        name="outputs_batch_underway",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ("generated", "signed", "failed"))),
                        name="outputs_batch_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("count__gte", 1), ("root__regex", "^[0-9a-f]{64}$")),
                        name="outputs_batch_has_root",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "signed"), _negated=True),
                            ("statement__isnull", False),
                            _connector="OR",
                        ),
                        name="outputs_batch_signed_has_statement",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", True), ("state", "generated")),
                            models.Q(
                                ("ended_at__isnull", False), ("state__in", ("signed", "failed"))
                            ),
                            _connector="OR",
                        ),
                        name="outputs_batch_ended_has_time",
                    ),
                ],
            },
        ),
    ]
