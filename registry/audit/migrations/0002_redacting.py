# SPDX-License-Identifier: Apache-2.0
"""A row that names a person who left may be emptied; its digest, time and action stay."""

from django.db import migrations

FORWARD = """
CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.actor, NEW.subject, NEW.details) = ('', '', '{}'::jsonb)
       AND (NEW.id, NEW.at, NEW.action, NEW.previous_sha256, NEW.sha256)
         = (OLD.id, OLD.at, OLD.action, OLD.previous_sha256, OLD.sha256) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'audit rows are never changed or deleted'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]
