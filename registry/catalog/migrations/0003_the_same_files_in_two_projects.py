# SPDX-License-Identifier: Apache-2.0
"""A checkpoint's id is unique in its project, no longer in the registry: forks and mirrors exist."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("catalog", "0002_erasing")]

    operations = [
        migrations.RemoveConstraint(model_name="checkpoint", name="catalog_checkpoint_id"),
        migrations.AddConstraint(
            model_name="checkpoint",
            constraint=models.UniqueConstraint(
                fields=("project", "manifest_sha256"),
                condition=~Q(state="rejected"),
                name="catalog_checkpoint_id",
            ),
        ),
        migrations.AddIndex(
            model_name="checkpoint",
            index=models.Index(fields=["manifest_sha256"], name="catalog_checkpoint_by_id"),
        ),
    ]
