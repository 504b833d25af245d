# SPDX-License-Identifier: Apache-2.0
"""Tables of catalog: what refers from one to another."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0002_names_are_for_ever"),
        ("catalog", "0001_initial"),
        ("conduct", "0001_initial"),
        ("ledger", "0002_append_only"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="checkpoint",
            name="conduct",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="conduct.policyversion",
            ),
        ),
        migrations.AddField(
            model_name="checkpoint",
            name="oms_statement",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ledger.statement",
            ),
        ),
        migrations.AddField(
            model_name="checkpoint",
            name="publisher",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="checkpoint",
            name="run_statement",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ledger.statement",
            ),
        ),
        migrations.AddField(
            model_name="checkpoint",
            name="statement",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ledger.statement",
            ),
        ),
        migrations.AddField(
            model_name="dataset",
            name="owner",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.namespace",
            ),
        ),
        migrations.AddField(
            model_name="dataset",
            name="statement",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.statement"
            ),
        ),
        migrations.AddField(
            model_name="checkpoint",
            name="dataset",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="catalog.dataset",
            ),
        ),
        migrations.AddField(
            model_name="datasetfile",
            name="dataset",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="files",
                to="catalog.dataset",
            ),
        ),
        migrations.AddField(
            model_name="file",
            name="checkpoint",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="files",
                to="catalog.checkpoint",
            ),
        ),
        migrations.AddField(
            model_name="project",
            name="conduct",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="conduct.policyversion",
            ),
        ),
        migrations.AddField(
            model_name="project",
            name="owner",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.namespace",
            ),
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
    ]
