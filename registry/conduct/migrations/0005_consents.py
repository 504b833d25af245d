# SPDX-License-Identifier: Apache-2.0
"""What a party signed with a key of its own: kept with its acceptance, and gone with the person."""

from django.db import migrations, models

FUNCTION = """
CREATE OR REPLACE FUNCTION conduct_acceptance_is_only_withdrawn() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.withdrawn_at IS NULL AND NEW.withdrawn_at IS NOT NULL
       AND (NEW.id, NEW.version_id, NEW.party_id, NEW.by_id, NEW.salt, NEW.statement_id,
            NEW.accepted_at)
         = (OLD.id, OLD.version_id, OLD.party_id, OLD.by_id, OLD.salt, OLD.statement_id,
            OLD.accepted_at)
       AND (NEW.consent, NEW.key) IS NOT DISTINCT FROM (OLD.consent, OLD.key) THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.withdrawn_at IS NOT NULL AND NEW.salt = ''::bytea
       AND NEW.consent IS NULL AND NEW.key IS NULL
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
    dependencies = [("conduct", "0004_drafts")]

    operations = [
        migrations.RemoveConstraint(
            model_name="acceptance",
            name="conduct_one_live_acceptance",
        ),
        migrations.AddField(
            model_name="acceptance",
            name="consent",
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name="acceptance",
            name="key",
            field=models.BinaryField(null=True),
        ),
        migrations.AddConstraint(
            model_name="acceptance",
            constraint=models.UniqueConstraint(
                condition=models.Q(("key__isnull", True), ("withdrawn_at__isnull", True)),
                fields=("version", "party"),
                name="conduct_one_live_acceptance",
            ),
        ),
        migrations.AddConstraint(
            model_name="acceptance",
            constraint=models.UniqueConstraint(
                condition=models.Q(("withdrawn_at__isnull", True)),
                fields=("version", "party", "key"),
                name="conduct_one_live_acceptance_by_key",
            ),
        ),
        migrations.AddConstraint(
            model_name="acceptance",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("consent__isnull", True), ("key__isnull", True)),
                    models.Q(("consent__isnull", False), ("key__isnull", False)),
                    _connector="OR",
                ),
                name="conduct_consent_has_its_key",
            ),
        ),
        migrations.RunSQL(FUNCTION, migrations.RunSQL.noop),
    ]
