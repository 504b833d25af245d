# SPDX-License-Identifier: Apache-2.0
"""Drafts: the next version of a policy while it is written; two people publish it."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("conduct", "0003_binding"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Draft",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("policy", models.CharField(max_length=64)),
                ("content", models.JSONField()),
                ("revision", models.PositiveIntegerField(default=1)),
                ("edited_at", models.DateTimeField()),
                ("sha256", models.CharField(blank=True, max_length=64)),
                (
                    "base",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="conduct.policyversion",
                    ),
                ),
                (
                    "edited_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "published_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "version",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="conduct.policyversion",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("published_by__isnull", True)),
                        fields=("policy",),
                        name="conduct_one_open_draft",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("policy__regex", "^[a-z0-9]+(-[a-z0-9]+)*$")),
                        name="conduct_draft_policy_is_plain",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("proposed_by__isnull", True), ("sha256", "")),
                            models.Q(
                                ("proposed_by__isnull", False), ("sha256__regex", "^[0-9a-f]{64}$")
                            ),
                            _connector="OR",
                        ),
                        name="conduct_draft_proposed_has_digest",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("published_by__isnull", True), ("version__isnull", True)),
                            models.Q(
                                ("proposed_by__isnull", False),
                                ("version__isnull", False),
                                models.Q(("published_by", models.F("proposed_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="conduct_draft_takes_two",
                    ),
                ],
            },
        ),
    ]
