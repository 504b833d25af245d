# SPDX-License-Identifier: Apache-2.0
"""Tables of catalog; triggers let a checkpoint move forward only, and data sets and files never change."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

WRITTEN_ONCE = ("catalog_dataset", "catalog_datasetfile", "catalog_file")

FORWARD = """
CREATE FUNCTION catalog_checkpoint_moves_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.project_id, NEW.conduct_id, NEW.name, NEW.step, NEW.manifest_sha256,
        NEW.manifest, NEW.size_bytes, NEW.actor, NEW.publisher_id, NEW.run_id, NEW.run_envelope,
        NEW.dataset_id, NEW.received_at)
       IS DISTINCT FROM
       (OLD.id, OLD.project_id, OLD.conduct_id, OLD.name, OLD.step, OLD.manifest_sha256,
        OLD.manifest, OLD.size_bytes, OLD.actor, OLD.publisher_id, OLD.run_id, OLD.run_envelope,
        OLD.dataset_id, OLD.received_at) THEN
        RAISE EXCEPTION 'what was handed in as a checkpoint never changes'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN
       (('received', 'signed'), ('received', 'rejected'), ('signed', 'published')) THEN
        RAISE EXCEPTION 'a checkpoint does not go from % to %', OLD.state, NEW.state
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER catalog_checkpoint_moves_forward BEFORE UPDATE ON catalog_checkpoint
    FOR EACH ROW EXECUTE FUNCTION catalog_checkpoint_moves_forward();

CREATE FUNCTION catalog_written_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is written once: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER catalog_checkpoint_delete BEFORE DELETE ON catalog_checkpoint
    FOR EACH ROW EXECUTE FUNCTION catalog_written_once();
""" + "\n".join(
    f"CREATE TRIGGER {table}_change BEFORE UPDATE OR DELETE ON {table}"
    " FOR EACH ROW EXECUTE FUNCTION catalog_written_once();"
    for table in WRITTEN_ONCE
)
BACKWARD = (
    "\n".join(f"DROP TRIGGER {table}_change ON {table};" for table in WRITTEN_ONCE)
    + """
DROP TRIGGER catalog_checkpoint_delete ON catalog_checkpoint;
DROP FUNCTION catalog_written_once();
DROP TRIGGER catalog_checkpoint_moves_forward ON catalog_checkpoint;
DROP FUNCTION catalog_checkpoint_moves_forward();
"""
)


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("conduct", "0001_initial"),
        ("ledger", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Dataset",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("title", models.CharField(max_length=200)),
                ("sha256", models.CharField(db_index=True, max_length=64)),
                ("manifest", models.JSONField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.namespace",
                    ),
                ),
                (
                    "statement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.statement",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Checkpoint",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("step", models.BigIntegerField(null=True)),
                ("manifest_sha256", models.CharField(max_length=64)),
                ("manifest", models.JSONField()),
                ("size_bytes", models.BigIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("received", "Received"),
                            ("signed", "Signed"),
                            ("published", "Published"),
                            ("rejected", "Rejected"),
                        ],
                        default="received",
                        max_length=10,
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                ("actor", models.CharField(max_length=80)),
                ("run_id", models.CharField(db_index=True, max_length=64, null=True)),
                ("run_envelope", models.JSONField(null=True)),
                ("run_chain", models.TextField(blank=True)),
                ("card_html", models.TextField(blank=True)),
                ("received_at", models.DateTimeField(auto_now_add=True)),
                ("published_at", models.DateTimeField(null=True)),
                (
                    "conduct",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="conduct.policyversion",
                    ),
                ),
                (
                    "oms_statement",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.statement",
                    ),
                ),
                (
                    "publisher",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "run_statement",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.statement",
                    ),
                ),
                (
                    "statement",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.statement",
                    ),
                ),
                (
                    "dataset",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.dataset",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DatasetFile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=1024)),
                ("sha256", models.CharField(db_index=True, max_length=64)),
                ("size", models.BigIntegerField()),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="files",
                        to="catalog.dataset",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="File",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=1024)),
                ("sha256", models.CharField(db_index=True, max_length=64)),
                ("size", models.BigIntegerField()),
                (
                    "checkpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="files",
                        to="catalog.checkpoint",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Project",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("title", models.CharField(max_length=200)),
                ("summary", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "conduct",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="conduct.policyversion",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.namespace",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="checkpoint",
            name="project",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="checkpoints",
                to="catalog.project",
            ),
        ),
        migrations.AddConstraint(
            model_name="dataset",
            constraint=models.UniqueConstraint(
                fields=("owner", "name"), name="catalog_dataset_name"
            ),
        ),
        migrations.AddConstraint(
            model_name="dataset",
            constraint=models.CheckConstraint(
                condition=models.Q(("name__regex", "^[a-z0-9]([._-]?[a-z0-9])*$")),
                name="catalog_dataset_name_is_plain",
            ),
        ),
        migrations.AddConstraint(
            model_name="datasetfile",
            constraint=models.UniqueConstraint(
                fields=("dataset", "name"), name="catalog_dataset_file_name"
            ),
        ),
        migrations.AddConstraint(
            model_name="file",
            constraint=models.UniqueConstraint(
                fields=("checkpoint", "name"), name="catalog_file_name"
            ),
        ),
        migrations.AddConstraint(
            model_name="project",
            constraint=models.UniqueConstraint(
                fields=("owner", "name"), name="catalog_project_name"
            ),
        ),
        migrations.AddConstraint(
            model_name="project",
            constraint=models.CheckConstraint(
                condition=models.Q(("name__regex", "^[a-z0-9]([._-]?[a-z0-9])*$")),
                name="catalog_project_name_is_plain",
            ),
        ),
        migrations.AddIndex(
            model_name="checkpoint",
            index=models.Index(
                condition=models.Q(("state__in", ("received", "signed"))),
                fields=["id"],
                name="catalog_checkpoint_underway",
            ),
        ),
        migrations.AddIndex(
            model_name="checkpoint",
            index=models.Index(fields=["project", "-id"], name="catalog_checkpoint_list"),
        ),
        migrations.AddConstraint(
            model_name="checkpoint",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "rejected"), _negated=True),
                fields=("manifest_sha256",),
                name="catalog_checkpoint_id",
            ),
        ),
        migrations.AddConstraint(
            model_name="checkpoint",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "rejected"), _negated=True),
                fields=("project", "name"),
                name="catalog_checkpoint_name",
            ),
        ),
        migrations.AddConstraint(
            model_name="checkpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(("name__regex", "^[a-z0-9]([._-]?[a-z0-9])*$")),
                name="catalog_checkpoint_name_is_plain",
            ),
        ),
        migrations.AddConstraint(
            model_name="checkpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(("manifest_sha256__regex", "^[0-9a-f]{64}$")),
                name="catalog_checkpoint_id_is_hex",
            ),
        ),
        migrations.AddConstraint(
            model_name="checkpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state", "received"),
                    ("state", "rejected"),
                    models.Q(("oms_statement__isnull", False), ("statement__isnull", False)),
                    _connector="OR",
                ),
                name="catalog_checkpoint_signed_has_statements",
            ),
        ),
        migrations.AddConstraint(
            model_name="checkpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("published_at__isnull", False), ("state", "published")),
                    models.Q(
                        models.Q(("state", "published"), _negated=True),
                        ("published_at__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="catalog_checkpoint_published_has_time",
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
