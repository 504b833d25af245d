# SPDX-License-Identifier: Apache-2.0
"""Tables of conduct; triggers refuse to change a version, or an acceptance but for its withdrawal."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION conduct_version_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a conduct version is never changed or deleted: publish another one'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER conduct_version_is_immutable BEFORE UPDATE OR DELETE ON conduct_policyversion
    FOR EACH ROW EXECUTE FUNCTION conduct_version_is_immutable();

CREATE FUNCTION conduct_acceptance_is_only_withdrawn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.withdrawn_at IS NULL AND NEW.withdrawn_at IS NOT NULL
       AND (NEW.id, NEW.version_id, NEW.party_id, NEW.by_id, NEW.salt, NEW.statement_id,
            NEW.accepted_at)
         = (OLD.id, OLD.version_id, OLD.party_id, OLD.by_id, OLD.salt, OLD.statement_id,
            OLD.accepted_at) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'an acceptance is never changed or deleted, only withdrawn'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER conduct_acceptance_is_only_withdrawn BEFORE UPDATE OR DELETE ON conduct_acceptance
    FOR EACH ROW EXECUTE FUNCTION conduct_acceptance_is_only_withdrawn();
"""
BACKWARD = """
DROP TRIGGER conduct_acceptance_is_only_withdrawn ON conduct_acceptance;
DROP FUNCTION conduct_acceptance_is_only_withdrawn();
DROP TRIGGER conduct_version_is_immutable ON conduct_policyversion;
DROP FUNCTION conduct_version_is_immutable();
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("ledger", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Policy",
            fields=[
                ("id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("id__regex", "^[a-z0-9]+(-[a-z0-9]+)*$")),
                        name="conduct_policy_id_is_plain",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PolicyVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.CharField(max_length=20)),
                ("title", models.CharField(max_length=200)),
                ("document", models.JSONField()),
                ("sha256", models.CharField(max_length=64, unique=True)),
                ("text", models.TextField()),
                ("effective_at", models.DateTimeField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "policy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="conduct.policy",
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
            name="Acceptance",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("salt", models.BinaryField()),
                ("accepted_at", models.DateTimeField()),
                ("withdrawn_at", models.DateTimeField(null=True)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "party",
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
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="conduct.policyversion",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="policyversion",
            constraint=models.UniqueConstraint(
                fields=("policy", "version"), name="conduct_version_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="policyversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("version__regex", "^[0-9]+\\.[0-9]+$")),
                name="conduct_version_is_plain",
            ),
        ),
        migrations.AddConstraint(
            model_name="acceptance",
            constraint=models.UniqueConstraint(
                condition=models.Q(("withdrawn_at__isnull", True)),
                fields=("version", "party"),
                name="conduct_one_live_acceptance",
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
