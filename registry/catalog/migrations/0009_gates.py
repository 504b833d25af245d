# SPDX-License-Identifier: Apache-2.0
"""Projects may be gated: seen by everybody, and their files given to whom their owner lets in."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("catalog", "0008_who_sees_a_project"),
    ]

    operations = [
        migrations.AddField(
            model_name="project",
            name="gate",
            field=models.CharField(
                choices=[("open", "Open"), ("asks", "Asks"), ("automatic", "Automatic")],
                default="open",
                max_length=9,
            ),
        ),
        migrations.AddField(
            model_name="project",
            name="gate_message",
            field=models.TextField(blank=True, default=""),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="project",
            constraint=models.CheckConstraint(
                condition=models.Q(("gate__in", ["open", "asks", "automatic"])),
                name="catalog_project_gate_is_known",
            ),
        ),
        migrations.CreateModel(
            name="Access",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "Asked"),
                            ("granted", "Granted"),
                            ("refused", "Refused"),
                        ],
                        max_length=7,
                    ),
                ),
                ("said", models.TextField(blank=True)),
                ("reason", models.TextField(blank=True)),
                ("asked_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.project",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("project", "person"), name="catalog_access_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["asked", "granted", "refused"])),
                        name="catalog_access_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at__isnull", True), ("state", "asked")),
                            models.Q(
                                models.Q(("state", "asked"), _negated=True),
                                ("decided_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="catalog_access_decided_has_time",
                    ),
                ],
            },
        ),
    ]
