# SPDX-License-Identifier: Apache-2.0
"""What somebody says that a checkpoint achieved."""

import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_reader"),
        ("catalog", "0019_given_back"),
        ("catalog", "0018_stated_takedowns"),
        ("ledger", "0009_blanking_why_it_was_taken_down"),
    ]

    operations = [
        migrations.CreateModel(
            name="Evaluation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("is_members", models.BooleanField()),
                ("received_at", models.DateTimeField(auto_now_add=True)),
                ("published_at", models.DateTimeField(null=True)),
                ("withdrawn_at", models.DateTimeField(null=True)),
                (
                    "checkpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.checkpoint",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.namespace",
                    ),
                ),
                (
                    "statement",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.statement",
                    ),
                ),
                (
                    "withdrawal",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.statement",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["checkpoint", "-id"], name="catalog_evaluation_of"),
                    models.Index(
                        condition=models.Q(
                            ("published_at__isnull", True),
                            models.Q(("withdrawal__isnull", False), ("withdrawn_at__isnull", True)),
                            _connector="OR",
                        ),
                        fields=["id"],
                        name="catalog_evaluation_underway",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("withdrawn_at__isnull", True),
                            models.Q(
                                ("published_at__isnull", False), ("withdrawal__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="catalog_evaluation_withdrawn_by_statement",
                    )
                ],
            },
        ),
    ]
