# SPDX-License-Identifier: Apache-2.0
"""A project knows how many pull requests it had, and each the request that opened it."""

from django.db import migrations, models

COUNT = """
    UPDATE catalog_project SET pulls = newest
    FROM (SELECT project_id, max(number) AS newest FROM catalog_pull GROUP BY project_id) AS of
    WHERE of.project_id = catalog_project.id
"""


class Migration(migrations.Migration):
    dependencies = [("catalog", "0022_facet_in_indexes")]

    operations = [
        migrations.AddField(
            model_name="project",
            name="pulls",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="pull",
            name="asked_sha256",
            field=models.CharField(blank=True, default="", max_length=64),
        ),
        migrations.RunSQL(COUNT, migrations.RunSQL.noop),
    ]
