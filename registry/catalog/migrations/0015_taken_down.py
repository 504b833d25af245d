# SPDX-License-Identifier: Apache-2.0
"""What the registry takes down: checkpoints go on from `published`, projects say since when."""

from django.conf import settings
from django.db import migrations, models

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
       (MOVES) THEN
        RAISE EXCEPTION 'a checkpoint does not go from % to %', OLD.state, NEW.state
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
"""
BEFORE = "('received', 'signed'), ('received', 'rejected'), ('signed', 'published')"
FORWARD = FUNCTION.replace("MOVES", f"{BEFORE}, ('published', 'taken-down')")
BACKWARD = FUNCTION.replace("MOVES", BEFORE)


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0014_happening"),
        ("conduct", "0002_erasing"),
        ("ledger", "0007_barred"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RemoveConstraint(
            model_name="checkpoint",
            name="catalog_checkpoint_published_has_time",
        ),
        migrations.AddField(
            model_name="checkpoint",
            name="taken_down_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="project",
            name="taken_down_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="project",
            name="taken_down_for",
            field=models.TextField(blank=True),
        ),
        migrations.AlterField(
            model_name="checkpoint",
            name="state",
            field=models.CharField(
                choices=[
                    ("received", "Received"),
                    ("signed", "Signed"),
                    ("published", "Published"),
                    ("rejected", "Rejected"),
                    ("taken-down", "Taken Down"),
                ],
                default="received",
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="checkpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("published_at__isnull", False), ("state__in", ("published", "taken-down"))
                    ),
                    models.Q(
                        models.Q(("state__in", ("published", "taken-down")), _negated=True),
                        ("published_at__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="catalog_checkpoint_published_has_time",
            ),
        ),
    ]
