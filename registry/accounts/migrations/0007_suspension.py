# SPDX-License-Identifier: Apache-2.0
"""Parties that are suspended, and machines that were expelled."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_founder")]

    operations = [
        migrations.AddField("node", "expelled_by", models.UUIDField(null=True)),
        migrations.CreateModel(
            "Suspension",
            [
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("case", models.UUIDField(unique=True)),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField(null=True)),
                ("lifted_at", models.DateTimeField(null=True)),
                (
                    "party",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.namespace",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(until=None) | Q(until__gt=F("since")),
                        name="accounts_suspension_ends_after_it_began",
                    )
                ]
            },
        ),
    ]
