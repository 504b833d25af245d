# SPDX-License-Identifier: Apache-2.0
"""An index of listings by version, which serves the sweep's question at any version."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0026_doi_sent")]

    operations = [
        migrations.RemoveIndex("listing", "catalog_listing_is_stale"),
        migrations.AddIndex(
            "listing",
            models.Index(fields=["version", "project"], name="catalog_listing_by_version"),
        ),
    ]
