# SPDX-License-Identifier: Apache-2.0
"""What each state of an import has, held by the database.

Two workers at one import could once leave it converted with the time at which the other had ended
it. Whoever carries it out ends it again.
"""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import Q

UNDERWAY = ("waiting", "converted")
MEND = "UPDATE imports_import SET ended_at = NULL WHERE state IN ('waiting', 'converted')"


def constraint(name: str, condition: Q) -> migrations.AddConstraint:
    """Of the one table that there is."""
    return migrations.AddConstraint(
        model_name="import", constraint=models.CheckConstraint(name=name, condition=condition)
    )


class Migration(migrations.Migration):
    dependencies = [("imports", "0002_had_result")]

    operations = [
        migrations.RunSQL(MEND, migrations.RunSQL.noop),
        constraint(
            "imports_state_is_known", Q(state__in=["waiting", "converted", "done", "refused"])
        ),
        constraint(
            "imports_ended_has_a_time",
            Q(state__in=UNDERWAY, ended_at__isnull=True)
            | (~Q(state__in=UNDERWAY) & Q(ended_at__isnull=False)),
        ),
        constraint(
            "imports_converted_has_a_result",
            ~Q(state__in=("converted", "done"))
            | (~Q(result_sha256="") & Q(result_bytes__isnull=False)),
        ),
        constraint("imports_done_has_an_oid", ~Q(state="done") | ~Q(oid="")),
        constraint("imports_refused_has_a_reason", ~Q(state="refused") | ~Q(reason="")),
    ]
