# SPDX-License-Identifier: Apache-2.0
"""The publish machine: received → signed → published, or rejected with a reason.

    received   durable and checked; nothing is signed, and large files are hashed (hashing.py)
    signed     its statements, their pending ledger entries and this state are one transaction
    published  a signed tree head includes every statement; only now does anybody else see it

Every step may be repeated, by any process at any time: it claims the row by its state, and does
nothing when another was first. A crash at any line leaves the row in the state before, and the next
call takes it from there; a nudge that got lost is made up for by `sweep`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeAlias

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from assay.signing import canonical, oms, timestamps
from assay.signing.bundle import Bundle
from assay.signing.certificates import Purpose
from assay.signing.chains import verify_chain
from assay.signing.digests import as_id
from assay.signing.envelope import Envelope
from assay.signing.errors import InvalidDocument, SignerError, VerificationError
from assay.signing.manifest import SIGNATURE_NAME, SIGSTORE_NAME
from assay.signing.statements import CheckpointClaim, RunReference
from assay.signing.statements import Statement as Signed
from registry.accounts.queries import SYSTEM
from registry.audit import services as audit
from registry.authority import queries as authority_queries
from registry.authority import services as authority
from registry.authority.errors import NotAMember, is_final
from registry.conduct import queries as conduct
from registry.conduct import standing
from registry.conduct.errors import NotAccepted
from registry.events import services as events
from registry.ledger import queries as ledger_queries
from registry.ledger import services as ledger
from registry.ledger.errors import CertificateBarred
from registry.ledger.queries import Statement
from registry.prepared import Prepared
from registry.storage import services as storage

from .. import queries
from ..content import large, tensors
from ..errors import RunStatementRefused
from ..models import Checkpoint, File, State
from ..queries import carriers, descents
from . import hashing, moving, run_statement, takedowns, telling

Certified: TypeAlias = tuple[int, int]
"""An owner and the conduct version under which it has a certificate, by their keys."""

PARTS = ("project__owner", "conduct", "dataset", "statement", "oms_statement", "publisher")
_BY_KEY = Prepared(lambda key: Checkpoint.objects.select_related(*PARTS).filter(pk=key))


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """A checkpoint whose statements a signed tree head includes, all of them."""

    checkpoint: Checkpoint
    signature: Bundle
    """The model signature."""


def advance(checkpoint_id: int) -> Checkpoint:
    """Take a checkpoint as far as it goes now. Call it outside any transaction.

    Raises SignerError, or a Problem of the ledger, when it must wait: the state stays as it is.
    """
    sign(checkpoint_id)
    checkpoint = _load(checkpoint_id)
    if checkpoint.state == State.SIGNED:
        if not ledger_queries.are_included(_statements(checkpoint)):
            ledger.integrate()
        for ready in proven([checkpoint_id]):
            publish(ready)
        checkpoint = _load(checkpoint_id)
    return checkpoint


def sign(checkpoint_id: int, *, certified: set[Certified] | None = None) -> None:
    """From received to signed: statements, pending entries and state in one transaction.

    Of those who are in `certified` it is known that they have their certificate.
    """
    checkpoint = _load(checkpoint_id)
    if checkpoint.state != State.RECEIVED:
        return
    known = set() if certified is None else certified
    try:
        if not hashing.is_ready(checkpoint):
            return  # whoever hashes the rest nudges again
        _ensure(checkpoint, known)
        with transaction.atomic():
            if not _claim(checkpoint, State.RECEIVED):
                return
            run = _record_run(checkpoint)
            statement, oms_statement = _sign_statements(checkpoint, run)
            Checkpoint.objects.filter(pk=checkpoint.pk).update(
                state=State.SIGNED,
                run_statement=run,
                statement=statement,
                oms_statement=oms_statement,
            )
            details = {"id": checkpoint.manifest_sha256, "statement": statement.sha256}
            audit.record(SYSTEM, "checkpoint.sign", checkpoint.full_name, details)
    except (NotAccepted, NotAMember, RunStatementRefused) as error:
        # What was true when it was received no longer is; asking again will not change that.
        _reject(checkpoint, str(error.detail))
    except (InvalidDocument, SignerError) as error:
        if not is_final(error):
            raise
        _reject(checkpoint, f"it can never be signed: {error}")


def refuse(checkpoint_id: int, error: InvalidDocument) -> None:
    """What was received turned out to be what can never be signed."""
    _reject(_load(checkpoint_id), f"it can never be signed: {error}")


def _ensure(checkpoint: Checkpoint, certified: set[Certified]) -> None:
    holder = (checkpoint.project.owner_id, checkpoint.conduct_id)
    if holder not in certified:
        under = conduct.reference(checkpoint.conduct)
        authority.ensure(Purpose.CHECKPOINT, checkpoint.project.owner, under=under)
        certified.add(holder)


def proven(checkpoint_ids: Collection[int]) -> list[Proven]:
    """Those of them that are signed, and whose statements a signed tree head includes.

    In a handful of queries however many they are. What is included stays so: nothing of this can
    have become untrue by the time it is used.
    """
    rows = Checkpoint.objects.select_related(*PARTS).filter(state=State.SIGNED)
    named = {one: _statements(one) for one in rows.filter(pk__in=checkpoint_ids)}
    included = ledger_queries.included_among({key for keys in named.values() for key in keys})
    ready = {
        one: one.oms_statement
        for one, keys in named.items()
        if one.oms_statement is not None and keys <= included
    }
    signatures = ledger_queries.bundles(*ready.values()) if ready else ()
    both = zip(ready, signatures, strict=True)
    return [Proven(checkpoint=one, signature=signature) for one, signature in both]


def publish(ready: Proven) -> None:
    """From signed to published, with its model signature."""
    checkpoint = ready.checkpoint
    wrappers = _wrappers(ready.signature)
    stored = storage.store_all(tuple(wrappers.values()), holder=SYSTEM)
    blobs = dict(zip(wrappers, stored, strict=True))
    named = [(file.name, file.sha256, file.size) for file in queries.manifest(checkpoint).files]
    named += [(name, blob.sha256, blob.size_bytes) for name, blob in blobs.items()]
    storage.identify([sha256 for name, sha256, size in named if not large.is_large(name, size)])
    parents = descents.found(checkpoint)
    with transaction.atomic():
        if not _claim(checkpoint, State.SIGNED):
            return
        takedowns.hold_shared()
        descents.keep(parents)
        carriers.add(checkpoint)
        File.objects.bulk_create(
            File(checkpoint=checkpoint, name=name, sha256=blob.sha256, size=blob.size_bytes)
            for name, blob in blobs.items()
        )
        Checkpoint.objects.filter(pk=checkpoint.pk).update(
            state=State.PUBLISHED, published_at=timezone.now()
        )
        moving.hold(checkpoint.project)
        is_up = takedowns.arrived(checkpoint)
        moving.land(checkpoint, is_told=is_up)
        _tell(checkpoint, is_up=is_up)
    # COMMIT POINT. Before it nobody but the publisher sees anything of the checkpoint; after it
    # everybody sees all of it: files, signature, evidence, its branch at it, and the event.


def _wrappers(bundle: Bundle) -> dict[str, bytes]:
    """The files beside the model's: one signature, in the form of OMS and in that of Sigstore.

    What was signed before there was a second wrapper does not let it lie there.
    """
    found = {SIGNATURE_NAME: canonical.dumps(bundle.to_json())}
    if oms.parse(Signed.parse(bundle.envelope.payload)).has_sigstore_wrapper:
        found[SIGSTORE_NAME] = canonical.dumps(bundle.to_sigstore_json())
    return found


def _load(checkpoint_id: int) -> Checkpoint:
    found = _BY_KEY.first(key=checkpoint_id)
    if found is None:
        raise Checkpoint.DoesNotExist
    return found


def _claim(checkpoint: Checkpoint, state: State) -> bool:
    """Hold the row if it is still in this state; whoever finds it held leaves it to the holder."""
    row = Checkpoint.objects.select_for_update(skip_locked=True)
    held = row.filter(pk=checkpoint.pk, state=state).values_list("pk")
    return bool(held)


def _record_run(checkpoint: Checkpoint) -> Statement | None:
    """The node's own statement, timestamped and logged beside ours."""
    if checkpoint.run_envelope is None:
        return None
    # Before anything is recorded: in this order whoever suspends the owner holds both.
    standing.hold(checkpoint.project.owner, conduct.reference(checkpoint.conduct))
    envelope = Envelope.parse(checkpoint.run_envelope)
    chain = run_statement.parse_chain(checkpoint.run_chain)
    response = ledger.signer().timestamp(timestamps.request(envelope.signature))
    trust = authority_queries.trust_root()
    authority = timestamps.authority(trust.registry)
    root = trust.root
    at = timestamps.verify(response, data=envelope.signature, root=root, authority=authority)
    try:
        verify_chain(chain, root=root, purpose=Purpose.NODE, at=at)
    except VerificationError as error:
        raise RunStatementRefused(f"the node's certificate: {error}") from error
    try:
        return ledger.record(envelope, chain, response)
    except CertificateBarred as error:
        raise RunStatementRefused(f"the node's certificate: {error.detail}") from error


def _sign_statements(checkpoint: Checkpoint, run: Statement | None) -> tuple[Statement, Statement]:
    """Our own claim about the checkpoint, and the OMS statement that foreign tools verify."""
    project, manifest = checkpoint.project, queries.manifest(checkpoint)
    under = conduct.reference(checkpoint.conduct)
    claim = CheckpointClaim(
        manifest_sha256=checkpoint.manifest_sha256,
        registry=settings.PUBLIC_URL,
        project=project.full_name,
        name=checkpoint.name,
        step=checkpoint.step,
        oms_sha256=oms.root_digest(manifest),
        run=_run_reference(checkpoint, run),
        dataset_sha256=checkpoint.dataset.sha256 if checkpoint.dataset else None,
        conduct=under,
        tensors=tensors.reference(checkpoint),
    )
    model = oms.statement(f"{project.full_name}@{checkpoint.name}", manifest)
    statements = (claim.statement(), model)
    ours, oms_statement = authority.sign_all(
        Purpose.CHECKPOINT, project.owner, statements, under=under
    )
    return ours, oms_statement


def _run_reference(checkpoint: Checkpoint, run: Statement | None) -> RunReference | None:
    if run is None or checkpoint.run_id is None:
        return None
    return RunReference(id=checkpoint.run_id, statement_sha256=run.sha256)


def _statements(checkpoint: Checkpoint) -> set[int]:
    """The keys of every statement that the evidence will hold."""
    dataset = checkpoint.dataset
    found = (
        checkpoint.oms_statement_id,
        checkpoint.statement_id,
        checkpoint.run_statement_id,
        checkpoint.conduct.statement_id,
        dataset.statement_id if dataset else None,
    )
    return {key for key in found if key is not None}


def _tell(checkpoint: Checkpoint, *, is_up: bool) -> None:
    """The event for those who follow the run, and the audit row; last, for their locks.

    Nobody who watches is told of one that arrived taken down.
    """
    data = {
        "id": as_id(checkpoint.manifest_sha256),
        "name": checkpoint.name,
        "step": checkpoint.step,
        "state": State.PUBLISHED.value,
        "url": settings.PUBLIC_URL + checkpoint.path,
    }
    if is_up:
        told = {"checkpoint": telling.of(checkpoint)}
        telling.tell(checkpoint.project, telling.CHECKPOINT, told)
    if is_up and checkpoint.run_id is not None:
        events.emit(f"run:{checkpoint.run_id}", "checkpoint", data)
    details = {"id": checkpoint.manifest_sha256}
    audit.record(SYSTEM, "checkpoint.publish", checkpoint.full_name, details)


def _reject(checkpoint: Checkpoint, reason: str) -> None:
    with transaction.atomic():
        if _claim(checkpoint, State.RECEIVED):
            Checkpoint.objects.filter(pk=checkpoint.pk).update(state=State.REJECTED, reason=reason)
            details = {"id": checkpoint.manifest_sha256, "reason": reason}
            audit.record(SYSTEM, "checkpoint.reject", checkpoint.full_name, details)
