# SPDX-License-Identifier: Apache-2.0
"""What is for a project's owner alone to decide: who sees it, its rules, its name, its end.

For an organisation its owners decide, not all of its members. An end is an end: the name is never
given again, and the ledger keeps what it has. The rows stay, for others' claims may name them.
"""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils import timezone

from registry.accounts import queries as accounts
from registry.accounts import suspensions
from registry.accounts.queries import Namespace, User
from registry.audit import services as audit
from registry.conduct import standing
from registry.conduct.queries import PolicyVersion
from registry.storage import services as storage

from ..errors import MayNotGovern, NameTaken, NotFound
from ..models import Checkpoint, File, Project, State, Visibility
from . import inheriting, listings, moving, receiving, registering, telling


def show(project: Project, visibility: Visibility, *, by: User) -> Project:
    """From now on these see it; whoever copied what was public keeps it. Raises MayNotGovern."""
    with transaction.atomic():
        now = held(project, by)
        if now.visibility != visibility:
            now.visibility = visibility
            now.save(update_fields=["visibility"])
            listings.again(now)
            details = {"visibility": visibility.value}
            audit.record(by.actor, "project.show", now.full_name, details)
    return now


def put_under(project: Project, version: PolicyVersion, *, by: User) -> Project:
    """What is published from now on is under this conduct version.

    What is there stays under its own, and so do runs that were begun. Raises MayNotGovern,
    Superseded for a version that is not the one in effect, NotAccepted for an owner who is not in
    good standing under it, or RulesDropped where it forbids or demands less than the one before.
    """
    with transaction.atomic():
        now = held(project, by)
        if now.conduct_id != version.pk:
            standing.check_in_effect(version)
            standing.require(now.owner, version)
            inheriting.check_keeps(now, version)
            details = {"from": str(now.conduct), "to": str(version)}
            now.conduct = version
            now.save(update_fields=["conduct"])
            listings.again(now)
            audit.record(by.actor, "project.rule", now.full_name, details)
    return now


def end(project: Project, *, by: User) -> None:
    """Nobody sees it any more, and nothing will ever be called so again. Raises MayNotGovern.

    What its checkpoints hold is served no longer. Whoever has it can verify it, as before: files,
    signatures and evidence do not ask the registry.
    """
    with transaction.atomic():
        now = held(project, by)
        now.ended_at = timezone.now()
        now.save(update_fields=["ended_at"])
        listings.again(now)
        telling.tell(now, telling.ENDED, {})
        audit.record(by.actor, "project.end", now.full_name, {})


def move(project: Project, owner: Namespace, name: str, *, by: User) -> Project:
    """It is called so from now on; the old name leads to it, and is never given again.

    Its statements keep the names and the signers that they were signed with. Raises MayNotGovern,
    NameTaken, InvalidName, NotAccepted where the new owner has not accepted its rules, and
    QuotaExceeded where they may not store so much.
    """
    receiving.check_name(name)
    try:
        with transaction.atomic():
            now = held(project, by)
            if (now.owner_id, now.name) == (owner.pk, name):
                return now
            suspensions.check(now.owner)
            _check_takes(owner, now, by)
            storage.charge(accounts.holder(owner), _files(now))
            before = Project(
                owner=now.owner,
                name=now.name,
                title="",
                conduct=now.conduct,
                visibility=now.visibility,
                ended_at=timezone.now(),
                moved_to=now,
            )
            old = now.full_name
            now.owner, now.name = owner, name
            now.save(update_fields=["owner", "name"])
            listings.again(now)
            before.save()
            registering.again(now)
            telling.tell(now, telling.MOVED, {"from": old})
            audit.record(by.actor, "project.move", old, {"project": now.full_name})
    except IntegrityError as error:
        raise NameTaken(f"expected a new name, but {owner.name} has {name!r}") from error
    return now


def reach(project: Project) -> tuple[int, int]:
    """How many published checkpoints and files everybody reads once it is public."""
    published = Checkpoint.objects.filter(project=project, state=State.PUBLISHED)
    return published.count(), published.values("files__sha256").distinct().count()


def held(project: Project, by: User) -> Project:
    """As it is by now, and stays until the transaction ends; raises MayNotGovern or NotFound.

    Locks as an erasure takes them.
    """
    receiving.hold_person(by)
    moving.hold(project)
    now = Project.objects.select_related("owner", "conduct").get(pk=project.pk)
    if now.ended_at is not None:
        raise NotFound(f"expected a project, found none called {project.full_name!r}")
    if now.taken_down_at is not None:
        raise MayNotGovern(f"{now.full_name} was taken down: what is left of it stays as it is")
    _check_governs(by, now.owner)
    return now


def _files(project: Project) -> frozenset[str]:
    files = File.objects.filter(checkpoint__project=project)
    return frozenset(files.values_list("sha256", flat=True))


def _check_governs(by: User, owner: Namespace) -> None:
    if not accounts.may_govern(by, owner):
        raise MayNotGovern(f"expected {owner.name}, or an owner of it, found {by.username}")


def _check_takes(owner: Namespace, project: Project, by: User) -> None:
    """The new owner is the caller's to decide for, too, and under the project's rules."""
    _check_governs(by, owner)
    standing.require(owner, project.conduct)
