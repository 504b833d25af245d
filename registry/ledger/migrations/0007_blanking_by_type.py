# SPDX-License-Identifier: Apache-2.0
"""Only statements of the types whose subject begins with a person's name may be blanked."""

from django.db import migrations

NAMING = """
       AND OLD.predicate_type IN (%s)"""
BLANKED = """
CREATE OR REPLACE FUNCTION ledger_statement_is_blanked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.payload = ''::bytea%s
       AND (NEW.id, NEW.sha256, NEW.purpose, NEW.predicate_type, NEW.subject, NEW.signature,
            NEW.leaf, NEW.intermediate, NEW.timestamp, NEW.entry_id, NEW.created_at)
         = (OLD.id, OLD.sha256, OLD.purpose, OLD.predicate_type, OLD.subject, OLD.signature,
            OLD.leaf, OLD.intermediate, OLD.timestamp, OLD.entry_id, OLD.created_at) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'ledger_statement is append-only: %% is refused', TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""
TYPES = (
    "https://assay/checkpoint/v1",
    "https://assay/dataset/v1",
    "https://model_signing/signature/v1.0",
)
FORWARD = BLANKED % (NAMING % ", ".join(f"'{each}'" for each in TYPES))
BACKWARD = BLANKED % ""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0006_blanking")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
