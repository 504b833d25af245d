# SPDX-License-Identifier: Apache-2.0
"""A salt in each row's digest, which goes with the words: emptied, the digest confirms no guess."""

from django.db import migrations, models

FUNCTION = """
CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.actor, NEW.subject, NEW.details) = ('', '', '{}'::jsonb)
       AND OLD.action <> 'person.erase'
       AND %s(NEW.id, NEW.at, NEW.action, NEW.previous_sha256, NEW.sha256)
         = (OLD.id, OLD.at, OLD.action, OLD.previous_sha256, OLD.sha256) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'audit rows are never changed or deleted'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_erasures_stay")]

    operations = [
        migrations.AddField("auditrow", "salt", models.BinaryField(null=True)),
        migrations.RunSQL(FUNCTION % "NEW.salt IS NULL AND ", FUNCTION % ""),
    ]
