# SPDX-License-Identifier: Apache-2.0
"""What callers say of the lines of their texts: how many, and the digest of the list."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("outputs", "0012_batched_digests")]

    operations = [
        migrations.AddField(
            "output", "lines_count", field=models.PositiveSmallIntegerField(null=True)
        ),
        migrations.AddField(
            "output", "lines_sha256", field=models.CharField(blank=True, max_length=64)
        ),
        migrations.AddConstraint(
            "output",
            constraint=models.CheckConstraint(
                name="outputs_lines_are_named_whole",
                condition=Q(lines_count__isnull=True, lines_sha256="")
                | Q(lines_count__gte=1, lines_sha256__regex="^[0-9a-f]{64}$"),
            ),
        ),
    ]
