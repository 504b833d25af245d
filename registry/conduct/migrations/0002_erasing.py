# SPDX-License-Identifier: Apache-2.0
"""A person who left: their acceptances lose the salt, and are a nameless namespace's."""

from django.db import migrations

FORWARD = """
CREATE OR REPLACE FUNCTION conduct_acceptance_is_only_withdrawn() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.withdrawn_at IS NULL AND NEW.withdrawn_at IS NOT NULL
       AND (NEW.id, NEW.version_id, NEW.party_id, NEW.by_id, NEW.salt, NEW.statement_id,
            NEW.accepted_at)
         = (OLD.id, OLD.version_id, OLD.party_id, OLD.by_id, OLD.salt, OLD.statement_id,
            OLD.accepted_at) THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.withdrawn_at IS NOT NULL AND NEW.salt = ''::bytea
       AND (NEW.id, NEW.version_id, NEW.by_id, NEW.statement_id, NEW.accepted_at)
         = (OLD.id, OLD.version_id, OLD.by_id, OLD.statement_id, OLD.accepted_at)
       AND EXISTS (SELECT FROM accounts_namespace
                   WHERE id = NEW.party_id AND name LIKE 'erased-%') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'an acceptance is never changed or deleted, only withdrawn'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_user_is_findable"),
        ("conduct", "0001_initial"),
    ]

    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]
