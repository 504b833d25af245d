# SPDX-License-Identifier: Apache-2.0
"""How much each holder has stored, counted from what they hold, and how much they may."""

from django.db import migrations, models
from django.db.models import Q

COUNT = """
    INSERT INTO storage_usage (holder, used_bytes)
    SELECT holder, sum(size_bytes) FROM storage_holding
    JOIN storage_blob ON sha256 = blob_id WHERE holder <> 'system' GROUP BY holder
"""


class Migration(migrations.Migration):
    dependencies = [
        ("storage", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Usage",
            fields=[
                ("holder", models.CharField(max_length=80, primary_key=True, serialize=False)),
                ("used_bytes", models.BigIntegerField(default=0)),
                ("allowed_bytes", models.BigIntegerField(null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(used_bytes__gte=0)
                        & (Q(allowed_bytes__isnull=True) | Q(allowed_bytes__gte=0)),
                        name="storage_usage_is_not_negative",
                    ),
                ],
            },
        ),
        migrations.RunSQL(COUNT, migrations.RunSQL.noop),
    ]
