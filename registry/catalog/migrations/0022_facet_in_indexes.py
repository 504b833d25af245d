# SPDX-License-Identifier: Apache-2.0
"""Lists are read from an index alone: each has the facet that came last, too."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0021_verified"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="listing",
            name="catalog_listing_by_age",
        ),
        migrations.RemoveIndex(
            model_name="listing",
            name="catalog_listing_by_time",
        ),
        migrations.RemoveIndex(
            model_name="listing",
            name="catalog_listing_by_downloads",
        ),
        migrations.RemoveIndex(
            model_name="listing",
            name="catalog_listing_by_task",
        ),
        migrations.RemoveIndex(
            model_name="listing",
            name="catalog_listing_by_size",
        ),
        migrations.RemoveIndex(
            model_name="listing",
            name="catalog_listing_by_licence",
        ),
        migrations.RemoveIndex(
            model_name="listing",
            name="catalog_listing_by_trained",
        ),
        migrations.RemoveIndex(
            model_name="listing",
            name="catalog_listing_by_conduct",
        ),
        migrations.AddIndex(
            model_name="listing",
            index=models.Index(
                fields=["-project"],
                include=("task", "size", "licence", "trained", "verified", "conduct", "is_public"),
                name="catalog_listing_by_age",
            ),
        ),
        migrations.AddIndex(
            model_name="listing",
            index=models.Index(
                fields=["-updated_at", "-project"],
                include=("task", "size", "licence", "trained", "verified", "conduct", "is_public"),
                name="catalog_listing_by_time",
            ),
        ),
        migrations.AddIndex(
            model_name="listing",
            index=models.Index(
                fields=["-downloads", "-project"],
                include=("task", "size", "licence", "trained", "verified", "conduct", "is_public"),
                name="catalog_listing_by_downloads",
            ),
        ),
        migrations.AddIndex(
            model_name="listing",
            index=models.Index(
                fields=["task", "-updated_at", "-project"],
                include=("size", "licence", "trained", "verified", "conduct", "is_public"),
                name="catalog_listing_by_task",
            ),
        ),
        migrations.AddIndex(
            model_name="listing",
            index=models.Index(
                fields=["size", "-updated_at", "-project"],
                include=("task", "licence", "trained", "verified", "conduct", "is_public"),
                name="catalog_listing_by_size",
            ),
        ),
        migrations.AddIndex(
            model_name="listing",
            index=models.Index(
                fields=["licence", "-updated_at", "-project"],
                include=("task", "size", "trained", "verified", "conduct", "is_public"),
                name="catalog_listing_by_licence",
            ),
        ),
        migrations.AddIndex(
            model_name="listing",
            index=models.Index(
                fields=["trained", "-updated_at", "-project"],
                include=("task", "size", "licence", "verified", "conduct", "is_public"),
                name="catalog_listing_by_trained",
            ),
        ),
        migrations.AddIndex(
            model_name="listing",
            index=models.Index(
                fields=["verified", "-updated_at", "-project"],
                include=("task", "size", "licence", "trained", "conduct", "is_public"),
                name="catalog_listing_by_verified",
            ),
        ),
        migrations.AddIndex(
            model_name="listing",
            index=models.Index(
                fields=["conduct", "-updated_at", "-project"],
                include=("task", "size", "licence", "trained", "verified", "is_public"),
                name="catalog_listing_by_conduct",
            ),
        ),
    ]
