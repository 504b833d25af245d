# SPDX-License-Identifier: Apache-2.0
"""Tables of outputs."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("catalog", "0001_initial"),
        ("ledger", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Output",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "claim",
                    models.CharField(
                        choices=[
                            ("server-generated", "Server Generated"),
                            ("caller-asserted", "Caller Asserted"),
                        ],
                        max_length=20,
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
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("is_sample", models.BooleanField(default=False)),
                ("media_type", models.CharField(max_length=100)),
                ("sampling", models.JSONField(null=True)),
                ("salt", models.BinaryField(null=True)),
                ("text", models.TextField(blank=True)),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("normalised_sha256", models.CharField(blank=True, max_length=64)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("lease_id", models.UUIDField(null=True, unique=True)),
                ("lease_node", models.CharField(blank=True, max_length=80)),
                ("lease_expires_at", models.DateTimeField(null=True)),
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
                    "lease_holder",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ("queued", "leased", "generated"))),
                        fields=["is_sample", "created_at"],
                        name="outputs_underway",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["queued", "leased", "generated", "signed", "failed"])
                        ),
                        name="outputs_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("claim__in", ["server-generated", "caller-asserted"])),
                        name="outputs_claim_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("claim", "caller-asserted"),
                                ("salt__isnull", True),
                                ("sampling__isnull", True),
                            ),
                            models.Q(
                                ("claim", "server-generated"),
                                ("salt__isnull", False),
                                ("sampling__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="outputs_server_generated_was_asked",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ("generated", "signed")), _negated=True),
                            ("sha256__regex", "^[0-9a-f]{64}$"),
                            _connector="OR",
                        ),
                        name="outputs_content_has_digest",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "signed"), _negated=True),
                            ("statement__isnull", False),
                            _connector="OR",
                        ),
                        name="outputs_signed_has_statement",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "leased"), _negated=True),
                            models.Q(
                                ("lease_expires_at__isnull", False), ("lease_id__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="outputs_leased_has_lease",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("ended_at__isnull", False), ("state__in", ("signed", "failed"))
                            ),
                            models.Q(
                                ("ended_at__isnull", True),
                                ("state__in", ("queued", "leased", "generated")),
                            ),
                            _connector="OR",
                        ),
                        name="outputs_ended_has_time",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("is_sample", True)),
                        fields=("checkpoint",),
                        name="outputs_one_sample_of_a_checkpoint",
                    ),
                ],
            },
        ),
    ]
