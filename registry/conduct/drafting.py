# SPDX-License-Identifier: Apache-2.0
"""Writing the next version of a policy, and publishing it: one proposes, another one publishes.

begin, begin_first   a draft that repeats the newest version, or of a policy that is not there yet
save                 what was typed, as it is
go_on                the draft goes on from the newest version, where that is another by now
propose, take_back   that the draft, by its digest, be published; and that it not be
publish              exactly what somebody else proposed
discard              the draft is gone

Each change names the revision that it was made of: nobody overwrites what they have not seen. All
of it is for those who run the registry, and each act has its audit row.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from assay.signing.errors import InvalidDocument
from assay.signing.policies import MAX_CLAUSES
from registry.accounts import suspensions
from registry.accounts.queries import User
from registry.api.problems import InvalidRequest
from registry.audit import services as audit

from . import checking, office, publishing, queries
from .errors import DraftChanged, DraftUnsound, NotFound, NotProposed, NotStaff, TakesTwo
from .models import Draft, PolicyVersion
from .written import Written


def runs_registry(person: User) -> bool:
    """That this person may write what others accept: not while they are suspended."""
    is_staff = person.is_staff and person.is_active
    return is_staff and not suspensions.is_suspended(person.namespace)


def open_drafts() -> QuerySet[Draft]:
    """Those that are neither published nor discarded, by policy."""
    found = Draft.objects.filter(published_by=None).order_by("policy")
    return found.select_related("base", "edited_by", "proposed_by")


def draft_of(policy: str) -> Draft | None:
    """The open draft of a policy."""
    return open_drafts().filter(policy=policy).first()


def begin(policy: str, *, by: User) -> Draft:
    """A draft that repeats the newest version, or the one that is there. Raises NotFound."""
    newest = queries.newest(policy)
    if newest is None:
        raise NotFound(f"expected a published version of {policy[:80]!r}, found none")
    written = Written.after(queries.rules(newest), today=timezone.now().date())
    return _begin(policy, written, newest, by)


def begin_first(policy: str, title: str, *, by: User) -> Draft:
    """A draft of a new policy's first version; raises InvalidRequest for an id that cannot be."""
    written = Written.first(title, today=timezone.now().date())
    try:
        checking.check_id(policy)
    except InvalidDocument as error:
        raise InvalidRequest(str(error)) from error
    if queries.newest(policy) is not None:
        raise InvalidRequest(f"expected an id that is not given yet, found {policy!a}")
    return _begin(policy, written, None, by)


def save(draft: Draft, written: Written, *, revision: int, by: User) -> None:
    """As it is, sound or not; what was proposed is so no longer.

    Raises DraftChanged, or InvalidRequest for more clauses than a policy has.
    """
    if len(written.clauses) > MAX_CLAUSES:
        found = len(written.clauses)
        raise InvalidRequest(f"expected at most {MAX_CLAUSES} clauses, found {found}")
    _change(draft, revision, by, {"content": written.to_row()})


def go_on(draft: Draft, *, revision: int, by: User) -> None:
    """From now on it supersedes the version that is the newest by now. Raises DraftChanged."""
    _change(draft, revision, by, {"base": queries.newest(draft.policy)})


def propose(draft: Draft, *, revision: int, by: User) -> None:
    """That another person publish exactly this. Raises DraftChanged or DraftUnsound."""
    _check_staff(by)
    with transaction.atomic():
        now = _held(draft, revision)
        if found := checking.faults(now):
            raise DraftUnsound(f"expected a draft without faults, found {len(found)}")
        now.sha256, now.proposed_by = checking.readable(now).policy.sha256, by
        now.save(update_fields=["sha256", "proposed_by"])
        audit.record(by.actor, "conduct.propose", now.policy, {"sha256": now.sha256})


def take_back(draft: Draft, *, revision: int, by: User) -> None:
    """Nothing is proposed any more. Raises DraftChanged."""
    _check_staff(by)
    with transaction.atomic():
        now = _held(draft, revision)
        if now.proposed_by is None:
            return
        details = {"sha256": now.sha256}
        now.sha256, now.proposed_by = "", None
        now.save(update_fields=["sha256", "proposed_by"])
        audit.record(by.actor, "conduct.take-back", now.policy, details)


def publish(draft: Draft, sha256: str, *, by: User) -> PolicyVersion:
    """Sign and log what another person proposed, by its digest. Outside any transaction.

    Raises NotProposed, TakesTwo, and what publishing a version raises.
    """
    _check_staff(by)
    office.ensure()
    with transaction.atomic():
        now = _held(draft)
        found = checking.readable(now)
        proposer = _proposer(now, sha256, found.policy.sha256, by)
        version = publishing.enact(found, by=by.actor, proposed_by=proposer.actor)
        now.published_by, now.version = by, version
        now.save(update_fields=["published_by", "version"])
    publishing.integrate(version)
    return version


def discard(draft: Draft, *, revision: int, by: User) -> None:
    """The draft is gone, and what was typed with it. Raises DraftChanged."""
    _check_staff(by)
    with transaction.atomic():
        _held(draft, revision).delete()
        audit.record(by.actor, "conduct.discard", draft.policy, {"revision": revision})


def _begin(policy: str, written: Written, base: PolicyVersion | None, by: User) -> Draft:
    _check_staff(by)
    values = {"base": base, "content": written.to_row()}
    with transaction.atomic():
        draft, is_new = Draft.objects.get_or_create(
            policy=policy,
            published_by=None,
            defaults={**values, "edited_by": by, "edited_at": timezone.now()},
        )
        if is_new:
            audit.record(by.actor, "conduct.draft", policy, {"revision": draft.revision})
    return draft


def _change(draft: Draft, revision: int, by: User, values: Mapping[str, object]) -> None:
    _check_staff(by)
    with transaction.atomic():
        seen = open_drafts().filter(pk=draft.pk, revision=revision)
        changed = seen.update(
            **values,
            revision=F("revision") + 1,
            edited_by=by,
            edited_at=timezone.now(),
            sha256="",
            proposed_by=None,
        )
        if not changed:
            raise _changed(draft)
        audit.record(by.actor, "conduct.draft", draft.policy, {"revision": revision + 1})


def _held(draft: Draft, revision: int | None = None) -> Draft:
    """The open draft, locked until the transaction ends."""
    now = open_drafts().select_for_update(of=("self",)).filter(pk=draft.pk).first()
    if now is None or revision not in (None, now.revision):
        raise _changed(draft)
    return now


def _changed(draft: Draft) -> DraftChanged:
    now = open_drafts().filter(pk=draft.pk).first()
    found = "none" if now is None else f"{now.revision}, which {now.edited_by} saved"
    return DraftChanged(f"expected the revision that you saw, found {found}")


def _proposer(draft: Draft, asked: str, made: str, by: User) -> User:
    """Who proposed exactly what is asked for; raises NotProposed, or TakesTwo.

    1. Somebody did, who runs the registry still. 2. By the digest that the caller read, which is
    that of the draft. 3. It was another person; the database says so, too.
    """
    proposer = draft.proposed_by
    if proposer is None or not runs_registry(proposer):  # 1
        raise NotProposed("expected a proposal by somebody who runs this registry, found none")
    if not asked == draft.sha256 == made:  # 2
        raise NotProposed(f"expected sha256:{draft.sha256}, which was proposed, found another")
    if proposer == by:  # 3
        raise TakesTwo(f"expected somebody else than {by}, who proposed it")
    return proposer


def _check_staff(person: User) -> None:
    if not runs_registry(person):
        raise NotStaff("expected somebody who runs this registry")
