# SPDX-License-Identifier: Apache-2.0
"""What a pass over all blobs finds and where it is, and which blobs have a second copy."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [
        ("storage", "0002_usage"),
    ]

    operations = [
        migrations.AddField(
            model_name="blob",
            name="damaged_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="blob",
            name="is_copied",
            field=models.BooleanField(default=False),
        ),
        migrations.AddIndex(
            model_name="blob",
            index=models.Index(
                condition=Q(damaged_at__isnull=False),
                fields=["sha256"],
                name="storage_blob_damaged",
            ),
        ),
        migrations.AddIndex(
            model_name="blob",
            index=models.Index(
                condition=Q(is_copied=False), fields=["sha256"], name="storage_blob_uncopied"
            ),
        ),
        migrations.CreateModel(
            name="Scrub",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("position", models.CharField(blank=True, default="", max_length=64)),
                ("blobs", models.BigIntegerField(default=0)),
                ("size_bytes", models.BigIntegerField(default=0)),
                ("damaged", models.IntegerField(default=0)),
                ("repaired", models.IntegerField(default=0)),
                ("copied", models.IntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=Q(ended_at__isnull=True),
                        fields=("ended_at",),
                        name="storage_one_scrub_at_a_time",
                        nulls_distinct=False,
                    ),
                ],
            },
        ),
    ]
