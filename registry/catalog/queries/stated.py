# SPDX-License-Identifier: Apache-2.0
"""What was stated about a checkpoint: who may read it, what it says, and all as evidence."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from django.db.models import Q, QuerySet

from assay.signing import canonical
from assay.signing.bundle import Bundle
from assay.signing.certificates import Purpose
from assay.signing.evidence import Evidence, Part
from assay.signing.intermediates import Name
from assay.signing.sigstore import Identity
from assay.signing.sigstore.certificate import identity_of
from assay.signing.statements import (
    ACCEPTANCE_V1,
    ACCEPTANCE_V2,
    CONDUCT_V1,
    DATASET_V1,
    LIFTING_V1,
    PERIOD_V1,
    REVOCATION_V1,
    SANCTION_V1,
    ConductReference,
    RunClaim,
    Statement,
)
from registry.accounts import pseudonyms
from registry.accounts.queries import User
from registry.authority import revocations
from registry.conduct import queries as conduct
from registry.ledger import queries as ledger
from registry.prepared import Prepared

from ..content import tensors
from ..errors import NotFound
from ..models import Checkpoint, Project, State, evaluated
from . import takedowns
from .checkpoints import LOGGED, manifest
from .finding import EARLIEST, has_open_files, known

OPEN = (
    *(CONDUCT_V1, ACCEPTANCE_V1, ACCEPTANCE_V2, REVOCATION_V1, DATASET_V1),
    *(SANCTION_V1, LIFTING_V1, PERIOD_V1),
)
Stated: TypeAlias = Mapping[str, ledger.Statement | None]  # by part
NOTHING: Stated = {}
EVIDENCE = (
    "statement",
    "oms_statement",
    "run_statement",
    "dataset__statement",
    "conduct__statement",
    "takedown",
)

_BY_KEY = Prepared(lambda key: _with_evidence().filter(pk=key))
_PUBLISHED = Prepared(
    lambda sha256: (
        _with_evidence()
        .filter(state=State.PUBLISHED, manifest_sha256=sha256)
        .order_by(*EARLIEST)[:1]
    )
)


def may_read(statement: ledger.Statement, viewer: User | None) -> bool:
    """That a statement is everybody's, or about a checkpoint that this caller may see.

    What is about none that is left is nobody's: that of a person who left opens for no one.
    """
    if statement.predicate_type in OPEN:
        return True
    about = Checkpoint.objects.filter(
        Q(statement=statement)
        | Q(oms_statement=statement)
        | Q(run_statement=statement)
        | Q(takedown=statement)
        | Q(pk__in=evaluated.about(statement).values("checkpoint"))
    )
    return known(viewer).filter(pk__in=about.values("pk")).exists()


def identity(of: Checkpoint) -> Identity:
    """Whom the certificate behind the model signature names, and who vouches for it."""
    if of.oms_statement is None:
        raise NotFound(f"expected a published checkpoint, found one that is {of.state}")
    return identity_of(ledger.chain(of.oms_statement).leaf)


def conduct_of(of: Project | Checkpoint) -> ConductReference:
    """The conduct version that it is released under, as statements name it."""
    return conduct.reference(of.conduct)


def run_claim(of: Checkpoint) -> RunClaim | None:
    """What the node said about the run: losses, recipe, machine."""
    if of.run_statement is None:
        return None
    return RunClaim.parse(Statement.parse(bytes(of.run_statement.payload)))


def evidence(of: Checkpoint, about: Stated = NOTHING) -> Evidence:
    """All that a verifier needs for the checkpoint, and for what is stated about it besides.

    That is an output of it, or what somebody says that it achieved. With revocation lists; and but
    for outputs, with the tensors, if there is room for them beside all else, and with the model
    signature: the file beside the weights was written before any witness had seen its entry, and is
    never changed.
    """
    is_whole = about.keys().isdisjoint({Part.OUTPUT, Part.BATCH})
    found = parts(of, {**about, Part.MODEL: of.oms_statement} if is_whole else about)
    found = _with_lists(found)
    return replace(found, tensors=tensors.stated(of, beside=found)) if is_whole else found


def with_evidence(key: int) -> Checkpoint:
    """A checkpoint by its key, with all that its evidence is made of: whoever asks may see it."""
    found = _BY_KEY.first(key=key)
    if found is None:
        raise Checkpoint.DoesNotExist
    return found


def open_to_all(sha256: str) -> Checkpoint | None:
    """The earliest published one with this id, as `with_evidence` has it, if its files are open.

    What everybody may have needs no question about who asks, which costs several times as much.
    """
    found = _PUBLISHED.first(sha256=sha256)
    return found if found is not None and has_open_files(found) else None


def shared(of: Checkpoint, each: Sequence[ledger.Statement]) -> tuple[Evidence, list[Bundle]]:
    """What the evidence of several outputs of one caller has in common, and the bundle of each.

    The one with the other's as its output is what `evidence` gives, but read once for all of them.
    """
    signed = _signed(of, NOTHING)
    found = ledger.bundles(*signed.values(), *each)
    bundles, others = dict(zip(signed, found, strict=False)), found[len(signed) :]
    return _with_lists(_evidence(of, bundles, also=others), also=others), list(others)


def parts(of: Checkpoint, about: Stated = NOTHING) -> Evidence:
    """What was signed, with its proofs, for whoever shows it and does not judge it."""
    signed = _signed(of, about)
    bundles = dict(zip(signed, ledger.bundles(*signed.values()), strict=True))
    return _evidence(of, bundles, also=())


def _with_evidence() -> QuerySet[Checkpoint]:
    return Checkpoint.objects.select_related("project__owner", *EVIDENCE)


def _signed(of: Checkpoint, about: Stated) -> dict[str, ledger.Statement]:
    """What is said of a checkpoint, and what is kept of what is said `about` it besides."""
    if of.state not in LOGGED:
        raise NotFound(f"expected a published checkpoint, found one that is {of.state}")
    stated: Stated = {
        **about,
        Part.CHECKPOINT: of.statement,
        Part.RUN: of.run_statement,
        Part.DATASET: of.dataset.statement if of.dataset else None,
        Part.CONDUCT: of.conduct.statement,
        Part.TAKEDOWN: takedowns.in_ledger(of),
    }
    return {
        part: statement
        for part, statement in stated.items()
        if statement is not None and not ledger.is_blank(statement)
    }


def _evidence(of: Checkpoint, bundles: Mapping[str, Bundle], also: Sequence[Bundle]) -> Evidence:
    """The bundles by part; openings and witnesses are those of others `also`."""
    policy = canonical.as_mapping(json.loads(conduct.document(of.conduct)), "policy")
    everything = (*bundles.values(), *also)
    named = {ledger.uri_of(bundle.chain.leaf) for bundle in everything}
    return Evidence(
        bundles=bundles,
        manifest=manifest(of),
        policy=policy,
        openings=pseudonyms.openings(named),
        witnesses=ledger.witnesses(everything),
    )


def _with_lists(found: Evidence, also: Sequence[Bundle] = ()) -> Evidence:
    """With the lists of whoever issued its certificates, or those of others `also`."""
    everything = (*found.bundles.values(), *also)
    issuers = {Name.of(each.chain.intermediate) for each in everything}
    issuers.add(Name(purpose=Purpose.TIMESTAMP))
    return found.with_lists(revocations.stapled(issuers))
