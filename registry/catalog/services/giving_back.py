# SPDX-License-Identifier: Apache-2.0
"""Room in the quota of whoever ended a project, or gave it away: what nothing living of theirs has.

The bytes stay on the disk, as all that was published does, until an operator removes them; they are
this owner's no longer, who would have to send them again. It waits a day, as the janitor does: what
was ended and is published anew at once is not sent twice.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from registry.accounts import queries as accounts
from registry.accounts.names import ERASED
from registry.accounts.queries import SYSTEM, Namespace
from registry.audit import services as audit
from registry.storage import services as storage

from ..models import DatasetFile, File, Project

AFTER = timedelta(days=1)
AT_ONCE = 100


def give_back(*, now: datetime) -> int:
    """Each in a transaction of its own; how many projects that were."""
    over = Project.objects.filter(ended_at__lt=now - AFTER, given_back_at=None)
    over = over.exclude(owner__name__startswith=ERASED).order_by("ended_at")
    return sum(_give_back(key, now) for key in over.values_list("pk", flat=True)[:AT_ONCE])


def _give_back(key: int, now: datetime) -> bool:
    with transaction.atomic():
        rows = Project.objects.select_for_update(skip_locked=True, of=("self",))
        ended = rows.select_related("owner").filter(pk=key, given_back_at=None).first()
        if ended is None:
            return False
        holder = accounts.holder(ended.owner)
        storage.release(holder, ())  # nobody else counts this owner's bytes from here on
        gone = _files(ended) - _living(ended.owner)
        storage.release(holder, gone)
        Project.objects.filter(pk=key).update(given_back_at=now)
        audit.record(SYSTEM, "project.give-back", ended.full_name, {"files": len(gone)})
    return True


def _files(ended: Project) -> frozenset[str]:
    """Its own, or of what it became where it was moved."""
    of = Q(checkpoint__project=ended) | Q(checkpoint__project=ended.moved_to_id)
    return frozenset(File.objects.filter(of).values_list("sha256", flat=True))


def _living(owner: Namespace) -> frozenset[str]:
    files = File.objects.filter(
        checkpoint__project__owner=owner, checkpoint__project__ended_at=None
    )
    given = DatasetFile.objects.filter(dataset__owner=owner)
    named = (rows.values_list("sha256", flat=True) for rows in (files, given))
    return frozenset().union(*named)
