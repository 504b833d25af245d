# SPDX-License-Identifier: Apache-2.0
"""Revisions, which are written once but for an erasure, and the refs that name them."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

SEGMENT = r"[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*"

FORWARD = """
CREATE FUNCTION catalog_revision_is_written_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.title = '' AND NEW.message = '' AND NEW.author_id IS NULL
       AND (NEW.id, NEW.project_id, NEW.checkpoint_id, NEW.parent_id, NEW.branch, NEW.created_at)
         IS NOT DISTINCT FROM
         (OLD.id, OLD.project_id, OLD.checkpoint_id, OLD.parent_id, OLD.branch, OLD.created_at) THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' AND EXISTS (
        SELECT FROM catalog_checkpoint
        WHERE id = OLD.checkpoint_id AND state = 'rejected' AND reason = 'erased') THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'catalog_revision is written once: % is refused', TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER catalog_revision_change BEFORE UPDATE OR DELETE ON catalog_revision
    FOR EACH ROW EXECUTE FUNCTION catalog_revision_is_written_once();
"""
BACKWARD = """
DROP TRIGGER catalog_revision_change ON catalog_revision;
DROP FUNCTION catalog_revision_is_written_once();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0003_the_same_files_in_two_projects"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Revision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("branch", models.CharField(max_length=200)),
                ("title", models.CharField(max_length=200)),
                ("message", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "author",
                    models.ForeignKey(
                        null=True,
                        to=settings.AUTH_USER_MODEL,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                    ),
                ),
                (
                    "checkpoint",
                    models.ForeignKey(
                        to="catalog.checkpoint",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        null=True,
                        to="catalog.revision",
                        on_delete=models.DO_NOTHING,
                        related_name="+",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        to="catalog.project",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["project", "branch"], name="catalog_revision_of_branch")
                ],
            },
        ),
        migrations.CreateModel(
            name="Ref",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("branch", "Branch"), ("tag", "Tag"), ("pull", "Pull")],
                        max_length=6,
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                (
                    "project",
                    models.ForeignKey(
                        to="catalog.project",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                    ),
                ),
                (
                    "revision",
                    models.ForeignKey(
                        to="catalog.revision",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("project", "name"), name="catalog_ref_name"),
                    models.CheckConstraint(
                        condition=models.Q(name__regex=f"^{SEGMENT}(/{SEGMENT})*$"),
                        name="catalog_ref_name_is_plain",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(kind__in=["branch", "tag", "pull"]),
                        name="catalog_ref_kind_is_known",
                    ),
                ],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
