# SPDX-License-Identifier: Apache-2.0
"""A checkpoint's DOI, and how far its registration has come."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0024_merging")]

    operations = [
        migrations.CreateModel(
            name="Doi",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("doi", models.CharField(max_length=120, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("registered", "Registered"),
                            ("refused", "Refused"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("is_findable", models.BooleanField(default=False)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("reason", models.CharField(blank=True, max_length=300)),
                ("due_at", models.DateTimeField()),
                ("registered_at", models.DateTimeField(null=True)),
                (
                    "checkpoint",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.checkpoint",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "waiting")),
                        fields=["due_at"],
                        name="catalog_doi_due",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["waiting", "registered", "refused"])),
                        name="catalog_doi_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("registered_at__isnull", False),
                            ("state__in", ("waiting", "refused")),
                            _connector="OR",
                        ),
                        name="catalog_doi_registered_has_time",
                    ),
                ],
            },
        ),
    ]
