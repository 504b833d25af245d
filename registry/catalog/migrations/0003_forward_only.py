# SPDX-License-Identifier: Apache-2.0
"""A checkpoint's state moves forward only, and what was handed in never changes: triggers see to it.

Data sets and the lists of files are written once.
"""

from django.db import migrations

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
    dependencies = [("catalog", "0002_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
