# SPDX-License-Identifier: Apache-2.0
"""Tells DataCite of DOIs: claimed first, sent outside any transaction, written down last.

    waiting     due at a moment; each attempt moves it on before anything is sent
    registered  DataCite has it, and it resolves for ever
    refused     DataCite will not have it; its owner reads why, and may ask again

What is registered is told of again when its project moved, and hidden from DataCite's search while
not everybody sees its checkpoint: it resolves meanwhile, and leads to what is left. Such a change
is never given up. What is no more everybody's before anything was sent is not told of at all; where
something was, DataCite may have it although it never said so, and is told to hide it.
"""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from registry.accounts.queries import SYSTEM
from registry.audit import services as audit
from registry.locks import alone

from .. import datacite, queries
from ..datacite import Account, Answer
from ..errors import NoDois
from ..models import Checkpoint, Project, State
from ..models.registered import Doi, DoiState
from ..queries import citing, dois

REGISTERING_LOCK = 0x6173736179_13  # one process that asks, whatever hangs
AT_ONCE = 20  # of at most datacite.SECONDS each: below the time that a task has
# After each attempt the pause before the next: two days in all.
PAUSES = tuple(timedelta(seconds=each) for each in (30, 300, 1800, 7200, 36_000, 36_000, 86_400))
PUBLISH, HIDE = "publish", "hide"  # DataCite's words: findable, and registered alone
NOT_PUBLIC = "Not everybody sees the checkpoint any more."

logger = logging.getLogger(__name__)


def register() -> int:
    """Tell of what is due; how many. Does nothing without an account, or while another is at it."""
    if not datacite.is_configured():
        return 0
    try:
        account = Account.read()
    except NoDois as error:
        logger.warning("DOIs wait: %s", error.detail)
        return 0
    with alone(REGISTERING_LOCK) as is_alone:
        if not is_alone:
            return 0
        _wait_again(dois.changed())
        told = 0
        while told < AT_ONCE and (row := _claim(timezone.now())):
            _tell(row, account)
            told += 1
    return told


def again(project: Project) -> None:
    """Where its DOIs lead is another address by now; in the caller's transaction.

    Also of one that is being told of at this moment, by its old address (see `_keep`).
    """
    own = Doi.objects.filter(checkpoint__project=project)
    _wait_again(own.exclude(state=DoiState.REFUSED))


def _wait_again(which: QuerySet[Doi]) -> None:
    which.update(state=DoiState.WAITING, attempts=0, reason="", due_at=timezone.now())


def _claim(now: datetime) -> Doi | None:
    """The next, with its checkpoint as it is by now: what was taken down meanwhile is not told."""
    parts = (f"checkpoint__{each}" for each in queries.PARTS)
    row = dois.due(now).select_related(*parts).first()
    if row is None:
        return None
    same = Doi.objects.filter(pk=row.pk, state=DoiState.WAITING, due_at=row.due_at)
    if not same.update(due_at=now + _pause(row), attempts=F("attempts") + 1):
        return None
    row.attempts += 1
    return row


def _pause(row: Doi) -> timedelta:
    return PAUSES[min(row.attempts, len(PAUSES) - 1)]


def _tell(row: Doi, account: Account) -> None:
    is_public = queries.is_everybodys(row.checkpoint)
    if not is_public and row.sent_at is None:
        _end(row, NOT_PUBLIC, is_there=False)
    elif not is_public:
        _hide(row, account)
    elif _is_marked(row):
        _publish(row, account)


def _is_marked(row: Doi) -> bool:
    """Before it is sent, so that it is known whatever becomes of the answer, and of us.

    Whoever leaves forgets what nobody was told of: it is either gone by now, or stays.
    """
    own = Doi.objects.filter(pk=row.pk, attempts=row.attempts, state=DoiState.WAITING)
    return bool(own.update(sent_at=row.sent_at or timezone.now()))


def _publish(row: Doi, account: Account) -> None:
    said = _attributes(row.checkpoint)
    answer = datacite.put(account, row.doi, {**said, "event": PUBLISH})
    if answer.is_good:
        _keep(row, PUBLISH)
    elif row.registered_at is None and (answer.is_final or row.attempts > len(PAUSES)):
        # An earlier one may have come through: only who refused the first does not have it.
        _end(row, answer.reason, is_there=row.sent_at is not None or not answer.is_final)
    else:
        _note(row, answer)


def _hide(row: Doi, account: Account) -> None:
    """Of one that is not there, and whose owner has left, nothing is kept any longer."""
    answer = datacite.put(account, row.doi, {"event": HIDE})
    if answer.is_good:
        _keep(row, HIDE)
    elif row.registered_at is None and answer.is_of_none:
        _end(row, NOT_PUBLIC, is_there=False)
        Doi.objects.filter(pk=row.pk, sent_at=None, checkpoint__state=State.REJECTED).delete()
    else:
        _note(row, answer)


def _attributes(of: Checkpoint) -> dict[str, object]:
    """As its citation says them, and where the DOI leads."""
    said: dict[str, object] = json.loads(citing.datacite(of))
    return {**said, "url": settings.PUBLIC_URL + of.path}


def _keep(row: Doi, event: str) -> None:
    """What changed meanwhile is told of next: it waits again, or is found by `dois.changed`."""
    now = timezone.now()
    with transaction.atomic():
        known = Doi.objects.filter(pk=row.pk, attempts=row.attempts, state=DoiState.WAITING)
        values = {"state": DoiState.REGISTERED, "is_findable": event == PUBLISH, "reason": ""}
        if known.update(**values, registered_at=row.registered_at or now):
            action = "doi.register" if event == PUBLISH else "doi.hide"
            audit.record(SYSTEM, action, row.checkpoint.full_name, {"doi": row.doi})


def _end(row: Doi, reason: str, *, is_there: bool) -> None:
    """Nothing more is sent; what may be there all the same is found by `dois.changed`."""
    values: dict[str, object] = {"state": DoiState.REFUSED, "reason": reason}
    if not is_there:
        values["sent_at"] = None
    with transaction.atomic():
        known = Doi.objects.filter(pk=row.pk, attempts=row.attempts, state=DoiState.WAITING)
        if known.update(**values):
            details = {"doi": row.doi, "reason": reason}
            audit.record(SYSTEM, "doi.refuse", row.checkpoint.full_name, details)


def _note(row: Doi, answer: Answer) -> None:
    Doi.objects.filter(pk=row.pk, state=DoiState.WAITING).update(reason=answer.reason)
    logger.warning("%s waits: %s", row.doi, answer.reason)
