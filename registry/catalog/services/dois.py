# SPDX-License-Identifier: Apache-2.0
"""An owner asks for a checkpoint's DOI: never by itself, for a DOI is for ever (registering.py)."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from registry.accounts.queries import User
from registry.audit import services as audit
from registry.wakeups import nudge

from .. import queries
from ..datacite import Account
from ..errors import DoiRefused
from ..models import Checkpoint
from ..models.registered import Doi, DoiState
from ..queries import dois
from . import governing

REGISTER = "catalog.register"


def ask(checkpoint: Checkpoint, *, by: User) -> Doi:
    """Keep it until DataCite has it; asked again, what was refused waits anew, all else stays.

    Raises NoDois without an account, MayNotGovern, NotFound, and DoiRefused for a checkpoint that
    not everybody sees.
    """
    account = Account.read()
    with transaction.atomic():
        governing.held(checkpoint.project, by)
        now = Checkpoint.objects.select_related(*queries.PARTS).get(pk=checkpoint.pk)
        if not queries.is_everybodys(now):
            raise DoiRefused(
                f"expected a published checkpoint that everybody sees, found {now.full_name}, "
                "which not everybody does"
            )
        known = Doi.objects.select_for_update().filter(checkpoint=now).first()
        if known is not None and known.state != DoiState.REFUSED:
            return known
        values = {"doi": dois.name(now, account.prefix), "due_at": timezone.now()}
        waits = {**values, "state": DoiState.WAITING, "attempts": 0, "reason": ""}
        made, _ = Doi.objects.update_or_create(checkpoint=now, defaults=waits)
        nudge(REGISTER)
        audit.record(by.actor, "doi.ask", now.full_name, {"doi": made.doi})
    return made
