# SPDX-License-Identifier: Apache-2.0
"""The row of an erasure names nobody and stays: it says how many others were emptied."""

from django.db import migrations

IS_EMPTIED = """
CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.actor, NEW.subject, NEW.details) = ('', '', '{}'::jsonb)%s
       AND (NEW.id, NEW.at, NEW.action, NEW.previous_sha256, NEW.sha256)
         = (OLD.id, OLD.at, OLD.action, OLD.previous_sha256, OLD.sha256) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'audit rows are never changed or deleted'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""
FORWARD = (
    IS_EMPTIED
    % """
       AND OLD.action <> 'person.erase'"""
)
BACKWARD = IS_EMPTIED % ""


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_redacting")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
