# SPDX-License-Identifier: Apache-2.0
"""Whether the sender held the result before: of older imports nobody knows, and nothing is taken."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("imports", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="import",
            name="had_result",
            field=models.BooleanField(default=True),
        ),
    ]
