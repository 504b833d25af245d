# SPDX-License-Identifier: Apache-2.0
"""The size of the head that a witness cosigned stands beside its lines, and is indexed.

Which head a witness saw next was a walk through all heads. The trigger that refuses changes is
off while the column is filled, in this transaction alone.
"""

from django.db import migrations, models

FORWARD = """
ALTER TABLE ledger_treehead ADD CONSTRAINT ledger_treehead_place UNIQUE (id, size);
ALTER TABLE ledger_cosignature ADD COLUMN size bigint;
ALTER TABLE ledger_cosignature DISABLE TRIGGER ledger_cosignature_change;
UPDATE ledger_cosignature SET size = head.size FROM ledger_treehead AS head
    WHERE head.id = ledger_cosignature.head_id;
ALTER TABLE ledger_cosignature ENABLE TRIGGER ledger_cosignature_change;
ALTER TABLE ledger_cosignature ALTER COLUMN size SET NOT NULL;
ALTER TABLE ledger_cosignature ADD CONSTRAINT ledger_cosignature_size_check CHECK (size >= 0);
ALTER TABLE ledger_cosignature ADD CONSTRAINT ledger_cosignature_of_size
    FOREIGN KEY (head_id, size) REFERENCES ledger_treehead (id, size);
"""
BACKWARD = """
ALTER TABLE ledger_cosignature DROP COLUMN size;
ALTER TABLE ledger_treehead DROP CONSTRAINT ledger_treehead_place;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0009_blanking_why_it_was_taken_down")]

    operations = [
        migrations.RunSQL(
            FORWARD,
            BACKWARD,
            state_operations=[
                migrations.AddField(
                    model_name="cosignature",
                    name="size",
                    field=models.PositiveBigIntegerField(default=0),
                    preserve_default=False,
                )
            ],
        ),
        migrations.AddIndex(
            model_name="cosignature",
            index=models.Index(fields=["witness", "size"], name="ledger_cosignature_seen"),
        ),
    ]
