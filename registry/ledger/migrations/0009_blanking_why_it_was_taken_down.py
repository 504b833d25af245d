# SPDX-License-Identifier: Apache-2.0
"""Why a checkpoint was taken down may say whose it was: it goes with a person who leaves."""

from django.db import migrations

REPLACE = """
CREATE OR REPLACE FUNCTION ledger_statement_is_blanked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.payload = ''::bytea
       AND OLD.predicate_type IN ({types})
       AND (NEW.id, NEW.sha256, NEW.purpose, NEW.predicate_type, NEW.subject, NEW.signature,
            NEW.leaf, NEW.intermediate, NEW.timestamp, NEW.entry_id, NEW.created_at)
         = (OLD.id, OLD.sha256, OLD.purpose, OLD.predicate_type, OLD.subject, OLD.signature,
            OLD.leaf, OLD.intermediate, OLD.timestamp, OLD.entry_id, OLD.created_at) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'ledger_statement is append-only: % is refused', TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""
BEFORE = """'https://assay/checkpoint/v2', 'https://assay/checkpoint/v1', 'https://assay/dataset/v1',
                                  'https://model_signing/signature/v1.0'"""
SINCE = f"'https://assay/takedown/v1', {BEFORE}"


class Migration(migrations.Migration):
    dependencies = [("ledger", "0008_blanking_what_names_tensors")]

    operations = [migrations.RunSQL(REPLACE.format(types=SINCE), REPLACE.format(types=BEFORE))]
