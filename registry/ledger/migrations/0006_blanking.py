# SPDX-License-Identifier: Apache-2.0
"""The payload of a statement may go where it names a person who left; digest and entry stay.

Only statements of the types whose subject begins with a person's name may be blanked at all.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION ledger_statement_is_blanked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.payload = ''::bytea
       AND OLD.predicate_type IN ('https://assay/checkpoint/v1', 'https://assay/dataset/v1',
                                  'https://model_signing/signature/v1.0')
       AND (NEW.id, NEW.sha256, NEW.purpose, NEW.predicate_type, NEW.subject, NEW.signature,
            NEW.leaf, NEW.intermediate, NEW.timestamp, NEW.entry_id, NEW.created_at)
         = (OLD.id, OLD.sha256, OLD.purpose, OLD.predicate_type, OLD.subject, OLD.signature,
            OLD.leaf, OLD.intermediate, OLD.timestamp, OLD.entry_id, OLD.created_at) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'ledger_statement is append-only: % is refused', TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
DROP TRIGGER ledger_statement_change ON ledger_statement;
CREATE TRIGGER ledger_statement_change BEFORE UPDATE OR DELETE ON ledger_statement
    FOR EACH ROW EXECUTE FUNCTION ledger_statement_is_blanked();
"""
BACKWARD = """
DROP TRIGGER ledger_statement_change ON ledger_statement;
CREATE TRIGGER ledger_statement_change BEFORE UPDATE OR DELETE ON ledger_statement
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
DROP FUNCTION ledger_statement_is_blanked();
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0005_statement_subject")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
