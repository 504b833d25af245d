# SPDX-License-Identifier: Apache-2.0
"""A row that names a person who left may be emptied; its digest, time and action stay.

Its salt goes with its words, so that the digest confirms no guess at them. The row that says how
many an erasure emptied names nobody, and stays.
"""

from django.db import migrations, models

FORWARD = """
CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.action <> 'person.erase'
       AND (NEW.actor, NEW.subject, NEW.details) = ('', '', '{}'::jsonb) AND NEW.salt IS NULL
       AND (NEW.id, NEW.at, NEW.action, NEW.previous_sha256, NEW.sha256)
         = (OLD.id, OLD.at, OLD.action, OLD.previous_sha256, OLD.sha256) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'audit rows are never changed or deleted'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""
BACKWARD = """
CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit rows are never changed or deleted'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [
        migrations.AddField("auditrow", "salt", models.BinaryField(null=True)),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
