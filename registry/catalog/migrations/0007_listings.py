# SPDX-License-Identifier: Apache-2.0
"""What projects are found by: a row each, made by the sweep for those that are there, and a tally."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.db import migrations, models

TALLY = """
CREATE FUNCTION catalog_listing_is_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND
       (NEW.task, NEW.licence, NEW.size, NEW.conduct, NEW.trained, NEW.is_public) IS NOT DISTINCT FROM
       (OLD.task, OLD.licence, OLD.size, OLD.conduct, OLD.trained, OLD.is_public) THEN
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' AND OLD.is_public THEN
        INSERT INTO catalog_tally (task, licence, size, conduct, trained, count, is_sum)
        VALUES (OLD.task, OLD.licence, OLD.size, OLD.conduct, OLD.trained, -1, FALSE);
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.is_public THEN
        INSERT INTO catalog_tally (task, licence, size, conduct, trained, count, is_sum)
        VALUES (NEW.task, NEW.licence, NEW.size, NEW.conduct, NEW.trained, 1, FALSE);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER catalog_listing_is_counted AFTER INSERT OR UPDATE OR DELETE ON catalog_listing
    FOR EACH ROW EXECUTE FUNCTION catalog_listing_is_counted();
"""
NO_TALLY = """
DROP TRIGGER catalog_listing_is_counted ON catalog_listing;
DROP FUNCTION catalog_listing_is_counted();
"""
# Version 0 is no version: the sweep finds these rows and makes them.
LIST_WHAT_THERE_IS = """
INSERT INTO catalog_listing
    (project_id, version, is_public, task, library, licence, size, conduct, trained, labels, dtypes,
     needs_code, downloads, created_at, updated_at)
SELECT project.id, 0, TRUE, '', '', '', '', policy.policy_id || '/' || policy.version, '', '{}',
       '{}', FALSE, 0, project.created_at, project.created_at
FROM catalog_project project
JOIN accounts_namespace owner ON owner.id = project.owner_id
JOIN conduct_policyversion policy ON policy.id = project.conduct_id
WHERE owner.name NOT LIKE 'erased-%'
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0006_git_oids_of_what_was_published"),
    ]

    operations = [
        migrations.CreateModel(
            name="Inspection",
            fields=[
                ("sha256", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("needs_code", models.BooleanField(default=False)),
                ("tensor_count", models.IntegerField(default=0)),
                ("parameters", models.JSONField(default=dict)),
                ("tensors", models.JSONField(default=list)),
            ],
        ),
        migrations.AddField(
            model_name="checkpoint",
            name="front_matter",
            field=models.JSONField(null=True),
        ),
        migrations.CreateModel(
            name="Tally",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("task", models.CharField(max_length=96)),
                ("licence", models.CharField(max_length=107)),
                ("size", models.CharField(max_length=20)),
                ("conduct", models.CharField(max_length=200)),
                ("trained", models.CharField(max_length=6)),
                ("count", models.BigIntegerField()),
                ("is_sum", models.BooleanField(default=False)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("is_sum", False)),
                        fields=["id"],
                        name="catalog_tally_change",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_sum", True)),
                        fields=("task", "licence", "size", "conduct", "trained"),
                        name="catalog_tally_sum",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Listing",
            fields=[
                (
                    "project",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="listing",
                        serialize=False,
                        to="catalog.project",
                    ),
                ),
                ("version", models.SmallIntegerField(default=0)),
                ("is_public", models.BooleanField(default=True)),
                ("task", models.CharField(blank=True, max_length=96)),
                ("library", models.CharField(blank=True, max_length=96)),
                ("licence", models.CharField(blank=True, max_length=107)),
                ("size", models.CharField(blank=True, max_length=20)),
                ("conduct", models.CharField(max_length=200)),
                ("trained", models.CharField(blank=True, max_length=6)),
                (
                    "labels",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), default=list, size=None
                    ),
                ),
                ("parameters", models.BigIntegerField(null=True)),
                ("dtypes", models.JSONField(default=dict)),
                ("needs_code", models.BooleanField(default=False)),
                ("downloads", models.BigIntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                ("vector", django.contrib.postgres.search.SearchVectorField(null=True)),
                (
                    "checkpoint",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.checkpoint",
                    ),
                ),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["vector", "labels"], name="catalog_listing_search"
                    ),
                    models.Index(
                        fields=["-updated_at", "-project"], name="catalog_listing_updated"
                    ),
                    models.Index(
                        fields=["-downloads", "-project"], name="catalog_listing_downloads"
                    ),
                    models.Index(fields=["task", "-project"], name="catalog_listing_task"),
                    models.Index(fields=["licence", "-project"], name="catalog_listing_licence"),
                    models.Index(fields=["size", "-project"], name="catalog_listing_size"),
                    models.Index(fields=["conduct", "-project"], name="catalog_listing_conduct"),
                    models.Index(fields=["trained", "-project"], name="catalog_listing_trained"),
                    models.Index(
                        condition=models.Q(("version", 0)),
                        fields=["version"],
                        name="catalog_listing_is_stale",
                    ),
                ],
            },
        ),
        migrations.RunSQL(TALLY, NO_TALLY),
        migrations.RunSQL(LIST_WHAT_THERE_IS, migrations.RunSQL.noop),
    ]
