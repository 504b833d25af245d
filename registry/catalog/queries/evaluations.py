# SPDX-License-Identifier: Apache-2.0
"""Reads of evaluations: what was said of a checkpoint, by whom, and what proves it.

And what its card declares of itself, which nobody signed but with the file that it stands in.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from assay.signing.evidence import Evidence, Part
from assay.signing.pseudonyms import Signatory
from assay.signing.statements import EvaluationClaim, Statement, WithdrawalClaim
from registry.ledger import queries as ledger

from .. import queries
from ..content.formats.plain_text import storable
from ..errors import NotFound
from ..models import Checkpoint, Project
from ..models.evaluated import Evaluation

PARTS = (
    "owner",
    "checkpoint__project__owner",
    "checkpoint__conduct",
    "statement__entry",
    "withdrawal__entry",
)
MOST_SHOWN = 50  # of each on a page; the API lists them all
MOST_DECLARED = 50
MAX_TEXT = 96


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An evaluation, as it was signed."""

    row: Evaluation
    claim: EvaluationClaim
    signer: Signatory
    withdrawal: WithdrawalClaim | None

    @property
    def state(self) -> str:
        """How far it has come."""
        if self.is_withdrawn:
            return "withdrawn"
        return "published" if self.row.published_at else "received"

    @property
    def is_withdrawn(self) -> bool:
        """That whoever said it took it back, and the ledger says so."""
        return self.row.withdrawn_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidOf:
    """What a page shows: the word of those who made a checkpoint is not that of others."""

    members: tuple[Said, ...]
    others: tuple[Said, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A line of the card's `model-index`; words and figures as they stand there."""

    task: str
    dataset: str
    metric: str
    value: str


def checkpoint(within: Project, name: str) -> Checkpoint:
    """Of a project that the caller sees: a published one, or what is left of one."""
    named = Checkpoint.objects.select_related(*queries.PARTS)
    found = named.filter(project=within, name=name, state__in=queries.LOGGED).first()
    if found is None:
        raise NotFound(f"expected a published checkpoint, found none called {name[:100]!r}")
    return found


def rows(of: Checkpoint) -> QuerySet[Evaluation]:
    """Those that everybody sees who sees the checkpoint, the newest first."""
    shown = Evaluation.objects.filter(checkpoint=of).exclude(published_at=None)
    return shown.select_related(*PARTS).order_by("-id")


def newest(of: Checkpoint) -> SaidOf:
    """Of members and of others, each the newest; conflicting ones are all there."""
    every = rows(of)
    inside, outside = (every.filter(is_members=each)[:MOST_SHOWN] for each in (True, False))
    read_all = read([*inside, *outside])
    return SaidOf(
        members=tuple(each for each in read_all if each.row.is_members),
        others=tuple(each for each in read_all if not each.row.is_members),
    )


def one(of: Checkpoint, key: uuid.UUID) -> Evaluation:
    """One of them, or one that is on its way; raises NotFound."""
    found = Evaluation.objects.select_related(*PARTS).filter(checkpoint=of, key=key).first()
    if found is None:
        raise NotFound(f"expected an evaluation of {of.full_name}, found none of this id")
    return found


def read(evaluations: Sequence[Evaluation]) -> tuple[Said, ...]:
    """What they say, and who: in one query."""
    signers = ledger.signatories(each.statement for each in evaluations)
    return tuple(
        Said(
            row=each,
            claim=EvaluationClaim.parse(Statement.parse(bytes(each.statement.payload))),
            signer=signers[each.statement.sha256],
            withdrawal=_withdrawal(each),
        )
        for each in evaluations
    )


def _withdrawal(of: Evaluation) -> WithdrawalClaim | None:
    if of.withdrawal is None:
        return None
    return WithdrawalClaim.parse(Statement.parse(bytes(of.withdrawal.payload)))


def evidence(of: Evaluation) -> Evidence:
    """All that a verifier needs, down to the checkpoint's data and conduct."""
    withdrawal = of.withdrawal if of.withdrawn_at is not None else None
    return queries.evidence(
        of.checkpoint, {Part.EVALUATION: of.statement, Part.WITHDRAWAL: withdrawal}
    )


def declared(of: Checkpoint) -> tuple[Declared, ...]:
    """What the card says of itself (`model-index`), as far as it can be read."""
    index = (of.front_matter or {}).get("model-index")
    found: list[Declared] = []
    for model in _mappings(index):
        for result in _mappings(model.get("results")):
            found.extend(_measured(result))
    return tuple(found[:MOST_DECLARED])


def _measured(result: Mapping[str, object]) -> Iterator[Declared]:
    task, dataset = result.get("task"), result.get("dataset")
    for metric in _mappings(result.get("metrics")):
        value = _text(metric.get("value"))
        if value:
            yield Declared(
                task=_named(task),
                dataset=_named(dataset),
                metric=_text(metric.get("name")) or _text(metric.get("type")),
                value=value,
            )


def _named(value: object) -> str:
    if not isinstance(value, dict):
        return ""
    return _text(value.get("name")) or _text(value.get("type"))


def _text(value: object) -> str:
    """A word, or a number as it was written."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return storable(str(value)).strip()[:MAX_TEXT] if is_number or isinstance(value, str) else ""


def _mappings(value: object) -> Iterator[Mapping[str, object]]:
    yield from (
        each
        for each in (value if isinstance(value, list) else [])[:MOST_DECLARED]
        if isinstance(each, dict)
    )
