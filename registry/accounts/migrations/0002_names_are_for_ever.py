# SPDX-License-Identifier: Apache-2.0
"""A name is given once: the database itself refuses to rename, revive or delete one."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION accounts_names_are_for_ever() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.id = OLD.id AND NEW.name = OLD.name
        AND (OLD.retired_at IS NULL OR NEW.retired_at = OLD.retired_at) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a name is never changed, revived or deleted, only retired'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER accounts_names_are_for_ever BEFORE UPDATE OR DELETE ON accounts_namespace
    FOR EACH ROW EXECUTE FUNCTION accounts_names_are_for_ever();
"""
BACKWARD = """
DROP TRIGGER accounts_names_are_for_ever ON accounts_namespace;
DROP FUNCTION accounts_names_are_for_ever();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
