# SPDX-License-Identifier: Apache-2.0
"""For which breach of conduct a checkpoint was taken down; and that a case may give it back."""

from django.db import migrations, models
from django.db.models import Q

FUNCTION = """
CREATE OR REPLACE FUNCTION catalog_checkpoint_moves_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.project_id, NEW.conduct_id, NEW.publisher_id, NEW.received_at)
         = (OLD.id, OLD.project_id, OLD.conduct_id, OLD.publisher_id, OLD.received_at)
       AND NEW.state = 'rejected' AND NEW.reason = 'erased'
       AND NEW.statement_id IS NULL AND NEW.oms_statement_id IS NULL
       AND NEW.manifest = '{}'::jsonb THEN
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.project_id, NEW.conduct_id, NEW.name, NEW.step, NEW.manifest_sha256,
        NEW.manifest, NEW.size_bytes, NEW.publisher_id, NEW.run_id, NEW.run_envelope,
        NEW.dataset_id, NEW.received_at)
       IS DISTINCT FROM
       (OLD.id, OLD.project_id, OLD.conduct_id, OLD.name, OLD.step, OLD.manifest_sha256,
        OLD.manifest, OLD.size_bytes, OLD.publisher_id, OLD.run_id, OLD.run_envelope,
        OLD.dataset_id, OLD.received_at)
       OR (NEW.actor <> OLD.actor AND NEW.actor NOT LIKE 'user:erased-%') THEN
        RAISE EXCEPTION 'what was handed in as a checkpoint never changes'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN
       (('received', 'signed'), ('received', 'rejected'), ('signed', 'published'),
        ('published', 'taken-down')) RESTORED THEN
        RAISE EXCEPTION 'a checkpoint does not go from % to %', OLD.state, NEW.state
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
"""
# What a case took down, the same case's appeal gives back; what a court did, nobody does.
FORWARD = FUNCTION.replace(
    "RESTORED",
    """AND ((OLD.state, NEW.state) <> ('taken-down', 'published')
            OR OLD."case" IS NULL OR NEW."case" IS NOT NULL)""",
)
BACKWARD = FUNCTION.replace(" RESTORED", "")


class Migration(migrations.Migration):
    dependencies = [("catalog", "0027_index_of_versions")]

    operations = [
        migrations.AddField("checkpoint", "case", models.UUIDField(null=True)),
        migrations.AddField("checkpoint", "breach", models.JSONField(null=True)),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.AddConstraint(
            "checkpoint",
            models.CheckConstraint(
                condition=Q(case__isnull=True, breach__isnull=True)
                | Q(case__isnull=False, breach__isnull=False, state="taken-down"),
                name="catalog_checkpoint_breach_has_case",
            ),
        ),
        migrations.AddIndex(
            "checkpoint",
            models.Index(
                fields=["case"],
                condition=Q(case__isnull=False),
                name="catalog_checkpoint_by_case",
            ),
        ),
    ]
