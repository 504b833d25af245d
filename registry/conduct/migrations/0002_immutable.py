# SPDX-License-Identifier: Apache-2.0
"""A version never changes, and an acceptance can only be withdrawn, once: triggers refuse the rest."""

from django.db import migrations

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
    dependencies = [("conduct", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
