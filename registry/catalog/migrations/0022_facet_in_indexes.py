# SPDX-License-Identifier: Apache-2.0
"""Lists are read from an index alone: each has the facet that came last, too."""

from django.db import migrations, models

FACETS = ("task", "size", "licence", "trained", "verified", "conduct")
NEW = "verified"
ORDERS = {
    "age": ("-project",),
    "time": ("-updated_at", "-project"),
    "downloads": ("-downloads", "-project"),
    **{facet: (facet, "-updated_at", "-project") for facet in FACETS},
}


def _index(by: str, order: tuple[str, ...]) -> models.Index:
    rest = (*(facet for facet in FACETS if facet != by), "is_public")
    return models.Index(fields=order, include=rest, name=f"catalog_listing_by_{by}")


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0021_verified"),
    ]

    operations = [
        *(
            migrations.RemoveIndex(model_name="listing", name=f"catalog_listing_by_{by}")
            for by in ORDERS
            if by != NEW
        ),
        *(
            migrations.AddIndex(model_name="listing", index=_index(by, order))
            for by, order in ORDERS.items()
        ),
    ]
