# SPDX-License-Identifier: Apache-2.0
"""A person leaves: what links them to what they signed goes, and the ledger's tree stays whole.

1. They do nothing here any more: no password, no session, no token.
2. Their certificates and their machines' are revoked, each by a statement in the ledger.
3. In one transaction, every app lets go of what names them; the salt goes with the person's row.

A crash leaves a person who can do nothing, for whom the command is said again. Above all apps,
because each keeps its own (docs/guides/operator.md says what is left).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from assay.signing.revocation import Reason
from registry.accounts import erasing as accounts
from registry.accounts import pseudonyms
from registry.accounts.queries import SYSTEM, Namespace, User
from registry.audit import services as audit
from registry.audit.chain import ERASURE
from registry.authority import revocations
from registry.catalog.queries import takedowns
from registry.catalog.services import erasing as catalog
from registry.conduct import erasing as conduct
from registry.events import services as events
from registry.hub import devices
from registry.hub.xet import index as xorbs
from registry.idempotency import services as idempotency
from registry.imports import services as imports
from registry.ledger import services as ledger
from registry.moderation import erasing as moderation
from registry.notices import services as notices
from registry.oidc import services as oidc
from registry.outputs import erasing as outputs
from registry.pool import erasing as pool
from registry.publishers import services as publishers
from registry.sigstore import vouching
from registry.storage import services as storage


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What an erasure did; it names nobody."""

    stub: str
    """What the person's row is called now, which is nobody's name."""
    pseudonym: str
    """By which an older backup, restored, says whom to erase again; empty if that was before."""
    certificates: int
    statements: int
    audit_rows: int


def erase(name: str) -> Erased:
    """Erase a person; raises NotFound, LastOwner or SignerError. Nothing of it can be undone.

    Where they were erased before, what names them all the same is cleaned up.
    """
    left = accounts.left(name)
    if left is not None:
        return _again(left)
    person = accounts.close(name)  # 1
    pseudonym, nodes = pseudonyms.certified_as(person.namespace), accounts.nodes_of(person)
    revoked = _revoke({person.namespace.uri, pseudonym, *nodes})  # 2
    with transaction.atomic():  # 3
        return _erase(person, pseudonym, revoked)


def _again(left: Namespace) -> Erased:
    """By the name alone: it is all that is known of who left."""
    revoked = _revoke({left.uri})
    with transaction.atomic():
        stub, actor = accounts.nobody(), f"user:{left.name}"
        said = takedowns.about(left)
        catalog.erase(left, stub=stub, clear=stub, actors={actor: f"user:{stub.name}"}, kept=())
        _drop({actor}, (), {})
        statements = ledger.blank({left.uri}, also=said)
        idempotency.forget_all(f'"{left.uri}"')
        events.forget_all(f"{left.uri}/")
        rows = audit.redact(left.name)
        counted = {"certificates": revoked, "statements": statements, "audit_rows": rows}
        audit.record(SYSTEM, ERASURE, stub.name, counted)
    return Erased(stub=stub.name, pseudonym="", **counted)


def _revoke(subjects: Collection[str]) -> int:
    serials = revocations.live(subjects)
    for serial in serials:
        revocations.revoke(serial, Reason.CESSATION_OF_OPERATION)
    return len(serials)


def _erase(person: User, pseudonym: str, revoked: int) -> Erased:
    """Step 3, and what it did.

    `clear` has what certificates from before there were pseudonyms signed: they name the person,
    and beside them nothing of what the pseudonym signed may stand.
    """
    name, actor, owner, now = person.username, person.actor, person.namespace, timezone.now()
    pool.end(owner, now=now)  # first: who submits locks the run before the person, too
    for each in (oidc, vouching, devices, notices):
        each.forget(person)
    actors = publishers.forget(person) | {actor}
    waiting = imports.forget(person)
    stub, clear = accounts.erase(person), accounts.nobody()
    outputs.forget_machines(person)
    outputs.forget_samples(owner)
    kept = outputs.standing_on(owner)
    outputs.erase(owner, stub=stub, clear=clear, now=now)
    conduct.erase(owner, stub=stub)
    sanctions = moderation.about(owner)
    moderation.erase(owner, stub=stub)
    said = takedowns.about(owner) | sanctions
    files = catalog.erase(
        owner,
        stub=stub,
        clear=clear,
        actors={actor: person.actor},
        kept=kept,
        author=person,
    )
    _drop(actors, files, waiting)
    statements = ledger.blank({owner.uri, pseudonym}, also=said)
    idempotency.forget_all(f'"{owner.uri}"', caller=idempotency.caller_of(str(person.pk)))
    events.forget_all(f"{settings.PUBLIC_URL}/{name}/")
    events.forget_those("node", accounts.machines_of(person))
    rows = audit.redact(name)
    counted = {"certificates": revoked, "statements": statements, "audit_rows": rows}
    audit.record(SYSTEM, ERASURE, stub.name, counted)
    return Erased(stub=stub.name, pseudonym=pseudonym, **counted)


def _drop(
    actors: Collection[str], digests: Collection[str], released: Mapping[str, frozenset[str]]
) -> None:
    """What they sent is theirs no longer, and gone where nobody needs it.

    Locks in the order in which uploads and sweeps take them: blobs, what counts them, xorbs.
    """
    sent = frozenset(digests).union(*map(xorbs.waiting, actors), *released.values())
    storage.hold_alone(sent)
    for holder in sorted(released):
        storage.release(holder, released[holder])
    for actor in sorted(actors):
        storage.forget_holder(actor)
    for actor in actors:
        xorbs.forget(actor)
    storage.drop(sent, needed=catalog.needed)
