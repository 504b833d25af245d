# SPDX-License-Identifier: Apache-2.0
"""Since when DataCite may have a DOI; of what an older version tried, nobody knows better."""

from django.db import migrations, models
from django.db.models import Q

TRIED = """
    UPDATE catalog_doi SET sent_at = coalesce(registered_at, due_at)
    WHERE registered_at IS NOT NULL OR attempts > 0
"""


class Migration(migrations.Migration):
    dependencies = [("catalog", "0025_dois")]

    operations = [
        migrations.AddField("doi", "sent_at", models.DateTimeField(null=True)),
        migrations.RunSQL(TRIED, migrations.RunSQL.noop),
        migrations.AddConstraint(
            "doi",
            models.CheckConstraint(
                condition=Q(registered_at__isnull=True) | Q(sent_at__isnull=False),
                name="catalog_doi_registered_was_sent",
            ),
        ),
    ]
