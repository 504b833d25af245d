# SPDX-License-Identifier: Apache-2.0
"""Reads of batches: what is claimed of one, its answer, and the proofs of its outputs."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from itertools import islice

from django.conf import settings
from django.db.models import QuerySet

from assay.signing.bundle import LedgerProof
from assay.signing.digests import as_id
from assay.signing.evidence import Part
from assay.signing.statements import BatchClaim, Origin
from registry.accounts.reading import RequiredSignatory, Signatory
from registry.api.problems import NotFound
from registry.catalog import queries as catalog
from registry.ledger import queries as ledger
from registry.ledger import services as ledger_services

from .. import queries as outputs
from ..models import Batch, State
from .errors import BatchDamaged
from .lines import Content, values_of
from .trees import Grown

HEX = 64  # characters of a digest
LINES_AT_ONCE = 500  # in one part of an answer: about a megabyte
CONTENTS = ("digests", "normalised", "media_types")  # megabytes, which nobody wants by the way


def batches() -> QuerySet[Batch]:
    """All of them, with what is said of each and all that its evidence is made of."""
    behind = ("project__owner", *catalog.EVIDENCE)
    found = Batch.objects.select_related(
        "caller", "statement__entry", *(f"checkpoint__{part}" for part in behind)
    )
    return found.defer(*CONTENTS)


def batch(batch_id: uuid.UUID, by: Signatory) -> Batch:
    """Their own batch with this id; raises NotFound alike for another's and for none.

    By a token for some projects, one of theirs.
    """
    own = batches().filter(caller=None if by.person is None else by.person.namespace_id)
    found = own.filter(pk=batch_id).first()
    if found is None or not outputs.is_within(found.checkpoint.project, by.projects):
        raise NotFound("expected the id of a batch of yours")
    return found


def own(by: RequiredSignatory) -> QuerySet[Batch]:
    """All of theirs; by a token for some projects, of these."""
    found = Batch.objects.select_related("checkpoint").defer(*CONTENTS)
    found = found.filter(caller=by.person.namespace_id)
    return found.filter(outputs.of_projects(by.projects)) if by.projects else found


def among_own(of: Batch) -> dict[str, object]:
    """The batch among others; its evidence is in the answer about it alone."""
    return {
        "id": str(of.pk),
        "url": f"{settings.PUBLIC_URL}/api/v1/outputs/batches/{of.pk}",
        "state": of.state,
        "checkpoint": as_id(of.checkpoint.manifest_sha256),
        "count": of.count,
        "created_at": of.created_at,
        "ended_at": of.ended_at,
    }


def claim_of(of: Batch) -> BatchClaim:
    """What is said of a batch; all of it from the row and the checkpoint's own statement."""
    return BatchClaim(
        root_sha256=of.root,
        batch=str(of.pk),
        count=of.count,
        checkpoint_sha256=of.checkpoint.manifest_sha256,
        checkpoint_statement_sha256=outputs.statement_of(of.checkpoint).sha256,
        conduct=catalog.conduct_of(of.checkpoint),
    )


def answer(of: Batch) -> dict[str, object]:
    """The batch as the API shows it to its caller (docs/spec/http.md)."""
    said: dict[str, object] = {
        "batch": str(of.pk),
        "state": of.state,
        "claim": Origin.CALLER_ASSERTED.value,
        "checkpoint": as_id(of.checkpoint.manifest_sha256),
        "count": of.count,
        "url": f"{settings.PUBLIC_URL}/api/v1/outputs/batches/{of.pk}",
    }
    if of.state == State.FAILED:
        said["failure"] = {"code": of.failure, "reason": of.reason}
    if of.state == State.SIGNED and outputs.stands(of):
        evidence = catalog.evidence(of.checkpoint, {Part.BATCH: of.statement})
        said["evidence"] = evidence.to_json()
    return said


def whole(of: Batch, grown: Grown | None = None) -> Iterator[bytes]:
    """The answer and a proof for each output, a line each; in parts as they are sent.

    Whoever took the batch just now has what it is made of.
    """
    entry = _entry(of)
    lines = (grown or _grown(of)).proofs(entry)
    first = json.dumps(answer(of), separators=(",", ":")) + "\n"
    return _parts(first, lines)


def proof(of: Batch, sha256: str) -> bytes:
    """The proof of the output with this digest alone; raises NotFound."""
    entry, grown = _entry(of), _grown(of)
    for index, content in enumerate(grown.contents):
        if content.sha256 == sha256:
            return grown.proof(entry, index).encode()
    raise NotFound(f"expected the digest of an output of this batch, found {as_id(sha256)}")


def _entry(of: Batch) -> LedgerProof:
    """That the ledger has the batch; raises NotFound before it was signed."""
    if of.statement is None or of.state != State.SIGNED:
        raise NotFound(f"expected a signed batch, found one that is {of.state}")
    return ledger.proof(ledger_services.index_of(of.statement.entry))


def _grown(of: Batch) -> Grown:
    """The outputs and their tree; raises BatchDamaged if it is not the one that was signed."""
    found = Grown.of(claim_of(of), contents(of), bytes(of.salt))
    if found.tree.root.hex() != of.root:
        raise BatchDamaged(f"expected outputs that make the root {of.root}, found others")
    return found


def contents(of: Batch) -> list[Content]:
    """What was said of each of its outputs; raises BatchDamaged if that is not `count` of them."""
    digests = bytes(of.digests).hex()
    columns = (
        [digests[start : start + HEX] for start in range(0, len(digests), HEX)],
        values_of(of.normalised, of.count),
        values_of(of.media_types, of.count),
    )
    if any(len(column) != of.count for column in columns):
        raise BatchDamaged(f"expected {of.count} outputs of batch {of.pk}, found another number")
    return [
        Content(sha256, normalised or None, media_type)
        for sha256, normalised, media_type in zip(*columns, strict=True)
    ]


def _parts(first: str, lines: Iterator[str]) -> Iterator[bytes]:
    yield first.encode()
    while part := "".join(islice(lines, LINES_AT_ONCE)):
        yield part.encode()
