# SPDX-License-Identifier: Apache-2.0
"""Taken down by the registry: its bytes are served no more, and its page says why, for ever.

take_down_checkpoint(checkpoint, reason, by)   one checkpoint
take_down_project(project, reason, by)         all of it; nothing is published there again

What was signed stays: statements, evidence and the ledger verify as before. Names stay given. The
same bytes are published nowhere else, and whoever sent them is not given them back, unless a
published checkpoint or a data set has them, too.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from registry.accounts.queries import User
from registry.audit import services as audit

from . import listings, moving, queries, telling, withheld
from .errors import InvalidTakedown, MayNotGovern
from .models import Checkpoint, Project, State

MAX_REASON = 1000
FILES_OF_OTHERS = "It has files that were taken down while it was on its way."
PROJECT, CHECKPOINT = "project.taken-down", "checkpoint.taken-down"


def take_down_checkpoint(checkpoint: Checkpoint, reason: str, *, by: str) -> None:
    """Raises InvalidTakedown for one that is not published."""
    _check(reason)
    with transaction.atomic():
        moving.hold(checkpoint.project)
        if not _close(checkpoint, reason):
            raise InvalidTakedown(
                f"expected a published checkpoint, found one that is {checkpoint.state}"
            )
        gone = withheld.among(checkpoint.files.values_list("sha256", flat=True))
        _close_proposed(checkpoint.project, reason, Q(files__sha256__in=gone))
        listings.again(checkpoint.project)
        telling.tell(checkpoint.project, CHECKPOINT, {"checkpoint": telling.of(checkpoint)})
        details = {"id": checkpoint.manifest_sha256, "reason": reason}
        audit.record(by, "checkpoint.take-down", checkpoint.full_name, details)


def take_down_project(project: Project, reason: str, *, by: str) -> None:
    """Raises InvalidTakedown for one that was taken down, or has ended."""
    _check(reason)
    with transaction.atomic():
        moving.hold(project)
        rows = Project.objects.filter(pk=project.pk, taken_down_at=None, ended_at=None)
        if not rows.update(taken_down_at=timezone.now(), taken_down_for=reason):
            raise InvalidTakedown("expected a project, found one that is no more")
        for each in Checkpoint.objects.filter(project=project, state=State.PUBLISHED):
            _close(each, reason)
        lines = Project.objects.filter(pull__project=project)
        lines.update(taken_down_at=timezone.now(), taken_down_for=reason)
        _close_proposed(project, reason, Q())
        listings.again(project)
        telling.tell(project, PROJECT, {})
        audit.record(by, "project.take-down", project.full_name, {"reason": reason})


def arrived(checkpoint: Checkpoint) -> None:
    """What was on its way when its project, or a file of it, was taken down goes the same way.

    In the transaction that publishes it, which holds the project.
    """
    now = Project.objects.get(pk=checkpoint.project_id)
    if now.taken_down_at is not None:
        _close(checkpoint, now.taken_down_for)
    elif withheld.among(checkpoint.files.values_list("sha256", flat=True), but=checkpoint):
        _close(checkpoint, FILES_OF_OTHERS)


def check_staff(person: User) -> None:
    """Only those who run the registry take down; raises MayNotGovern."""
    if not (person.is_staff and person.is_active):
        raise MayNotGovern("expected somebody who runs this registry")


def _close_proposed(project: Project, reason: str, having: Q) -> None:
    """What pull requests of the project propose, and is as it should not be."""
    proposed = queries.proposed_to(project).filter(having).distinct()
    for each in proposed:
        _close(each, reason)


def _close(checkpoint: Checkpoint, reason: str) -> bool:
    rows = Checkpoint.objects.filter(pk=checkpoint.pk, state=State.PUBLISHED)
    now = timezone.now()
    return bool(rows.update(state=State.TAKEN_DOWN, reason=reason, taken_down_at=now))


def _check(reason: str) -> None:
    if not 0 < len(reason.strip()) <= MAX_REASON:
        raise InvalidTakedown(f"reason: expected 1 to {MAX_REASON} characters, found none or more")
