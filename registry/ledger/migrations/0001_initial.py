# SPDX-License-Identifier: Apache-2.0
"""Tables of the ledger; triggers refuse all but an entry's first index, which the sequencer gives."""

import django.db.models.deletion
from django.db import migrations, models

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
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="TreeHead",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("size", models.PositiveBigIntegerField(unique=True)),
                ("root", models.BinaryField()),
                ("note", models.TextField()),
                ("verifier", models.CharField(max_length=400)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="Entry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("index", models.PositiveBigIntegerField(null=True, unique=True)),
                ("body", models.BinaryField()),
                ("leaf_hash", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("index__isnull", True)),
                        fields=["id"],
                        name="ledger_entry_pending",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Hash",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("level", models.PositiveSmallIntegerField()),
                ("position", models.PositiveBigIntegerField()),
                ("digest", models.BinaryField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("level", "position"), name="ledger_hash_place")
                ],
            },
        ),
        migrations.CreateModel(
            name="Statement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sha256", models.CharField(max_length=64, unique=True)),
                ("purpose", models.CharField(max_length=20)),
                ("predicate_type", models.CharField(max_length=200)),
                ("payload", models.BinaryField()),
                ("signature", models.BinaryField()),
                ("leaf", models.BinaryField()),
                ("intermediate", models.BinaryField()),
                ("timestamp", models.BinaryField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "entry",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="statement",
                        to="ledger.entry",
                    ),
                ),
            ],
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
