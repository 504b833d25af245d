# SPDX-License-Identifier: Apache-2.0
"""A person who left: their checkpoints become empty rejected ones, and nothing else goes back."""

from django.db import migrations

FORWARD = """
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
       (('received', 'signed'), ('received', 'rejected'), ('signed', 'published')) THEN
        RAISE EXCEPTION 'a checkpoint does not go from % to %', OLD.state, NEW.state
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION catalog_file_is_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (
        SELECT FROM catalog_checkpoint
        WHERE id = OLD.checkpoint_id AND state = 'rejected' AND reason = 'erased') THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'catalog_file is written once: % is refused', TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
DROP TRIGGER catalog_file_change ON catalog_file;
CREATE TRIGGER catalog_file_change BEFORE UPDATE OR DELETE ON catalog_file
    FOR EACH ROW EXECUTE FUNCTION catalog_file_is_erased();

CREATE FUNCTION catalog_dataset_is_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.name LIKE 'erased-%' AND NEW.title = ''
       AND (NEW.id, NEW.sha256, NEW.manifest, NEW.statement_id, NEW.created_at)
         = (OLD.id, OLD.sha256, OLD.manifest, OLD.statement_id, OLD.created_at)
       AND EXISTS (SELECT FROM accounts_namespace
                   WHERE id = NEW.owner_id AND name LIKE 'erased-%') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'catalog_dataset is written once: % is refused', TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
DROP TRIGGER catalog_dataset_change ON catalog_dataset;
CREATE TRIGGER catalog_dataset_change BEFORE UPDATE OR DELETE ON catalog_dataset
    FOR EACH ROW EXECUTE FUNCTION catalog_dataset_is_erased();
"""
BACKWARD = """
DROP TRIGGER catalog_dataset_change ON catalog_dataset;
CREATE TRIGGER catalog_dataset_change BEFORE UPDATE OR DELETE ON catalog_dataset
    FOR EACH ROW EXECUTE FUNCTION catalog_written_once();
DROP FUNCTION catalog_dataset_is_erased();
DROP TRIGGER catalog_file_change ON catalog_file;
CREATE TRIGGER catalog_file_change BEFORE UPDATE OR DELETE ON catalog_file
    FOR EACH ROW EXECUTE FUNCTION catalog_written_once();
DROP FUNCTION catalog_file_is_erased();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_user_is_findable"),
        ("catalog", "0001_initial"),
    ]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
