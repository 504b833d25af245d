# SPDX-License-Identifier: Apache-2.0
"""Taken down by the registry: its bytes are served no more, and its page says why, for ever.

take_down_checkpoint(checkpoint, order)   one checkpoint; the order says why, and in whose name
take_down_project(project, order)         all of it; nothing is published there again
restore(case)                             what was taken down for a breach that was none
elsewhere(project, checkpoint)            what else has the same bytes, and so keeps them up

What was signed stays: statements, evidence and the ledger verify as before. Names stay given. Its
own bytes (withheld.py) are published nowhere else, and whoever sent them is not given them back,
unless a published checkpoint or a data set has them, too: those are named to whoever takes down,
and go with it if they say so.

Locks, for whoever publishes meanwhile and for two at once: first that of all takedowns, which each
publication shares (hold_shared), then projects by their keys, then checkpoints.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from assay.signing.statements import Breach
from registry.accounts.queries import User
from registry.audit import services as audit
from registry.wakeups import nudge

from .. import queries
from ..errors import InvalidTakedown, MayNotGovern
from ..models import Checkpoint, File, Project, State, Visibility
from ..queries import carriers, withheld
from . import listings, moving, stating, telling

MAX_REASON = 1000
FILES_OF_OTHERS = "It has files that were taken down while it was on its way."
PROJECT, CHECKPOINT = "project.taken-down", "checkpoint.taken-down"
RESTORED = "checkpoint.restored"
SWEEP = "catalog.sweep"
TAKEDOWN_LOCK = 0x6173736179_12  # beside settings.JOURNAL_LOCK, and always taken before it


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A breach of conduct, and the case in which that was decided."""

    case: uuid.UUID
    breach: Breach


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Why, and in whose name; `is_everywhere` takes down all that has the same bytes.

    The reason is signed as it stands (TakedownClaim), so that its length counts with its spaces.
    `finding` is what a case found, if there was one.
    """

    reason: str
    by: str
    is_everywhere: bool = False
    finding: Finding | None = None

    def __post_init__(self) -> None:
        if not self.reason.strip() or len(self.reason) > MAX_REASON:
            raise InvalidTakedown(
                f"reason: expected 1 to {MAX_REASON} characters, found none or more"
            )


def take_down_checkpoint(checkpoint: Checkpoint, order: Order) -> None:
    """Raises InvalidTakedown for one that is not published."""
    with transaction.atomic():
        _hold_all()
        others = _others(checkpoint.project, checkpoint, order)
        _hold_projects([checkpoint, *others])
        is_closed = _close(checkpoint, order.reason, order.finding)
        if not (is_closed or _take_over(checkpoint, order)):
            raise InvalidTakedown(
                f"expected a published checkpoint, found one that is {checkpoint.state}"
            )
        gone = [checkpoint, *(each for each in others if _close(each, order.reason))]
        _close_proposed(order, Q(files__sha256__in=_withheld(gone)))
        if order.finding is not None:
            stating.state_now(checkpoint)  # before the journal, whose lock comes last
        _tell(gone, order)


def take_down_project(project: Project, order: Order) -> None:
    """Raises InvalidTakedown for one that was taken down, or has ended."""
    with transaction.atomic():
        _hold_all()
        own = list(queries.published_in(project))
        others = _others(project, None, order)
        _hold_projects([*own, *others], project)
        rows = Project.objects.filter(pk=project.pk, taken_down_at=None, ended_at=None)
        if not rows.update(taken_down_at=timezone.now(), taken_down_for=order.reason):
            raise InvalidTakedown("expected a project, found one that is no more")
        lines = Project.objects.filter(pull__project=project)
        lines.update(taken_down_at=timezone.now(), taken_down_for=order.reason)
        gone = [each for each in (*own, *others) if _close(each, order.reason)]
        own_bytes = Q(files__sha256__in=_withheld(gone))
        _close_proposed(order, own_bytes | Q(project__pull__project=project))
        listings.again(project)
        telling.tell(project, PROJECT, {})
        _tell([each for each in gone if each.project_id != project.pk], order)
        audit.record(order.by, "project.take-down", project.full_name, {"reason": order.reason})


def restore(case: uuid.UUID) -> list[Checkpoint]:
    """What was taken down in a case is served again, unless something else forbids it, too.

    That is a takedown of its project, or of another checkpoint with the same weights. In the
    caller's transaction, who tells of it when all else is done (`tell_restored`). Its evidence says
    nothing of the takedown any more; both are in the ledger.
    """
    with transaction.atomic():
        _hold_all()
        down = Checkpoint.objects.filter(case=case, state=State.TAKEN_DOWN)
        down = down.filter(project__taken_down_at=None).select_related("project__owner")
        found = [each for each in down.order_by("pk") if not _is_forbidden_too(each)]
        _hold_projects(found)
        for each in found:
            rows = Checkpoint.objects.filter(pk=each.pk, case=case)
            again = {"taken_down_at": None, "takedown": None, "case": None, "breach": None}
            rows.update(state=State.PUBLISHED, reason="", **again)
            each.refresh_from_db()
            carriers.add(each)
            listings.again(each.project)
    return found


def tell_restored(found: Sequence[Checkpoint], *, by: str) -> None:
    """Those who watch, and the audit; last, for its lock."""
    for each in found:
        telling.tell(each.project, RESTORED, {"checkpoint": telling.of(each)})
        audit.record(by, "checkpoint.restore", each.full_name, {"id": each.manifest_sha256})


def elsewhere(project: Project, checkpoint: Checkpoint | None = None) -> QuerySet[Checkpoint]:
    """Those that stand and have bytes of its own, the newest first.

    Of a checkpoint, others of the same project are among them.
    """
    down = queries.published_in(project)
    if checkpoint is not None:
        down = down.filter(pk=checkpoint.pk)
    standing = Checkpoint.objects.filter(state=State.PUBLISHED, project__ended_at=None)
    standing = standing.exclude(project__visibility=Visibility.PULL)
    standing = standing.filter(files__sha256__in=_own(down)).distinct().order_by("-pk")
    standing = standing.select_related("project__owner")
    return standing.exclude(pk=checkpoint.pk) if checkpoint else standing.exclude(project=project)


def hold_shared() -> None:
    """Nothing is taken down until the caller's transaction ends; before it holds any project."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [TAKEDOWN_LOCK])


def arrived(checkpoint: Checkpoint) -> bool:
    """What was on its way when its project, or a file of it, was taken down goes the same way.

    In the transaction that publishes it, after `hold_shared`. Whether it may stay.
    """
    now = Project.objects.get(pk=checkpoint.project_id)
    if now.taken_down_at is not None:
        reason = now.taken_down_for
    elif withheld.among(checkpoint.files.values_list("sha256", flat=True), but=checkpoint):
        reason = FILES_OF_OTHERS
    else:
        return True
    _close(checkpoint, reason)
    listings.again(now)
    return False


def check_staff(person: User) -> None:
    """Only those who run the registry take down; raises MayNotGovern."""
    if not (person.is_staff and person.is_active):
        raise MayNotGovern("expected somebody who runs this registry")


def _hold_all() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TAKEDOWN_LOCK])


def _hold_projects(of: Collection[Checkpoint], *more: Project) -> None:
    keys = {each.project_id for each in of} | {each.pk for each in more}
    for each in Project.objects.filter(pk__in=keys).order_by("pk"):
        moving.hold(each)


def _others(project: Project, checkpoint: Checkpoint | None, order: Order) -> list[Checkpoint]:
    return list(elsewhere(project, checkpoint)) if order.is_everywhere else []


def _own(of: QuerySet[Checkpoint] | Sequence[Checkpoint]) -> frozenset[str]:
    files = File.objects.filter(checkpoint__in=of).values_list("name", "sha256", "size")
    return frozenset(sha256 for name, sha256, size in files if withheld.is_own(name, size))


def _withheld(gone: Sequence[Checkpoint]) -> frozenset[str]:
    return withheld.among(_own(gone))


def _close_proposed(order: Order, which: Q) -> None:
    """What pull requests propose, to whomever, and is as it should not be."""
    lines = Q(state=State.PUBLISHED, project__visibility=Visibility.PULL)
    for each in Checkpoint.objects.filter(lines & which).distinct():
        _close(each, order.reason, order.finding)


def _close(checkpoint: Checkpoint, reason: str, finding: Finding | None = None) -> bool:
    rows = Checkpoint.objects.filter(pk=checkpoint.pk, state=State.PUBLISHED)
    found = {} if finding is None else {"case": finding.case, "breach": finding.breach.to_json()}
    now = timezone.now()
    if not rows.update(state=State.TAKEN_DOWN, reason=reason, taken_down_at=now, **found):
        return False
    carriers.pass_on(checkpoint)
    return True


def _take_over(checkpoint: Checkpoint, order: Order) -> bool:
    """What a case took down, an order keeps down, whatever comes of an appeal."""
    if order.finding is not None:
        return False
    rows = Checkpoint.objects.filter(pk=checkpoint.pk, state=State.TAKEN_DOWN)
    nothing = {"case": None, "breach": None, "takedown": None}
    now = timezone.now()
    return bool(rows.exclude(case=None).update(reason=order.reason, taken_down_at=now, **nothing))


def _is_forbidden_too(of: Checkpoint) -> bool:
    own = _own([of])
    others = File.objects.filter(sha256__in=own, checkpoint__state=State.TAKEN_DOWN)
    return others.exclude(checkpoint__case=of.case).exists()


def _tell(gone: Sequence[Checkpoint], order: Order) -> None:
    """Lists and those who watch, and the audit; last, for its lock."""
    for each in gone:
        listings.again(each.project)
        telling.tell(each.project, CHECKPOINT, {"checkpoint": telling.of(each)})
    nudge(SWEEP)  # which states it in the ledger
    for each in gone:
        details = {"id": each.manifest_sha256, "reason": order.reason}
        audit.record(order.by, "checkpoint.take-down", each.full_name, details)
