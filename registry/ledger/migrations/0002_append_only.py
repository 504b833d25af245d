# SPDX-License-Identifier: Apache-2.0
"""The ledger only grows, whoever holds a database connection: triggers refuse UPDATE and DELETE.

The one exception is an entry's first index, which the sequencer assigns.
"""

from __future__ import annotations

from django.db import migrations

TABLES = ("ledger_hash", "ledger_treehead", "ledger_statement")

FORWARD = """
CREATE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE FUNCTION ledger_entry_takes_an_index_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.index IS NULL AND NEW.index IS NOT NULL
       AND (NEW.id, NEW.body, NEW.leaf_hash, NEW.created_at)
         = (OLD.id, OLD.body, OLD.leaf_hash, OLD.created_at) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'ledger_entry is append-only: an entry takes an index once and keeps it'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER ledger_entry_update BEFORE UPDATE ON ledger_entry
    FOR EACH ROW EXECUTE FUNCTION ledger_entry_takes_an_index_once();
CREATE TRIGGER ledger_entry_delete BEFORE DELETE ON ledger_entry
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
""" + "\n".join(
    f"CREATE TRIGGER {table}_change BEFORE UPDATE OR DELETE ON {table}"
    " FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();"
    for table in TABLES
)

BACKWARD = (
    "\n".join(f"DROP TRIGGER {table}_change ON {table};" for table in TABLES)
    + """
DROP TRIGGER ledger_entry_delete ON ledger_entry;
DROP TRIGGER ledger_entry_update ON ledger_entry;
DROP FUNCTION ledger_entry_takes_an_index_once();
DROP FUNCTION ledger_refuse_change();
"""
)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
