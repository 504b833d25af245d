# SPDX-License-Identifier: Apache-2.0
"""Which project published a file of weights first in which checkpoint."""

import django.db.models.deletion
from django.db import migrations, models

OF_WHAT_IS_PUBLISHED = """
INSERT INTO catalog_carrier (sha256, project_id, checkpoint_id, names_tensors)
SELECT sha256, project_id, checkpoint_id, names_tensors FROM (
    SELECT DISTINCT ON (f.sha256, c.project_id, s.predicate_type) f.sha256, c.project_id,
           c.id AS checkpoint_id, c.published_at,
           s.predicate_type = 'https://assay/checkpoint/v2' AS names_tensors
    FROM catalog_file f
    JOIN catalog_checkpoint c ON c.id = f.checkpoint_id
    JOIN ledger_statement s ON s.id = c.statement_id
    WHERE c.state = 'published'
      AND (lower(f.name) LIKE '%.safetensors' OR lower(f.name) LIKE '%.gguf')
    ORDER BY f.sha256, c.project_id, s.predicate_type, c.published_at, c.id) AS first
ORDER BY published_at, checkpoint_id
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0016_tensors_in_steps"),
        ("ledger", "0008_blanking_what_names_tensors"),
    ]

    operations = [
        migrations.CreateModel(
            name="Carrier",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sha256", models.CharField(max_length=64)),
                ("names_tensors", models.BooleanField()),
                (
                    "checkpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="catalog.checkpoint",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="catalog.project",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("names_tensors", True)),
                        fields=["sha256", "id"],
                        name="catalog_carrier_first",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("sha256", "project", "names_tensors"),
                        name="catalog_carrier_once",
                    )
                ],
            },
        ),
        migrations.RunSQL(OF_WHAT_IS_PUBLISHED, migrations.RunSQL.noop),
    ]
