# SPDX-License-Identifier: Apache-2.0
"""The claims that a checkpoint was evaluated, with what came of it; and that this is withdrawn.

Anybody may say how a checkpoint did; a verifier learns who said it, and nobody vouches for the
figures but them. What is withdrawn stays signed: a second statement says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Self

from .. import canonical
from ..canonical import Obj
from ..errors import InvalidDocument
from ..values import dataclass
from .references import ConductReference, as_reference, decimal, reference
from .statement import EVALUATION_V1, WITHDRAWAL_V1, Statement, Subject, predicate_of, same

MAX_METRICS = 64  # MMLU's 57 subjects, each a task of its own, have two each
MAX_NAME_CHARACTERS = 200
# One line that moves no cursor and turns no text around: it is shown by terminals and pages.
_NAME = re.compile(
    rf"[^\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]{{1,{MAX_NAME_CHARACTERS}}}"
)
COMMIT = re.compile(r"[0-9a-f]{7,64}")
_RESULT_FIELDS = ("task", "dataset", "harness", "config", "metrics", "evaluated_at")
_FIELDS = ("evaluation", "statement", "conduct", *_RESULT_FIELDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What was measured; exact decimals, as they were handed in."""

    name: str
    value: str
    standard_error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """The data that was evaluated on, by the digest of what the harness read."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Harness:
    """The program that measured."""

    name: str
    version: str
    commit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What somebody measured: one task on one data set, as it is handed in and then signed."""

    task: str
    dataset: Benchmark
    harness: Harness
    config_sha256: str | None
    """Of the harness's configuration, as whoever evaluated keeps it."""
    metrics: tuple[Metric, ...]
    evaluated_at: datetime

    @classmethod
    def parse(cls, obj: Obj) -> Self:
        """Read what is handed in: metrics in any order, and what may be null may be left out."""
        canonical.only(obj, *_RESULT_FIELDS)
        whole = {
            "config": None,
            **obj,
            "harness": {"commit": None, **canonical.mapping(obj, "harness")},
            "metrics": _in_order(canonical.items(obj, "metrics")),
        }
        return cls.within(whole)

    @classmethod
    def within(cls, obj: Obj) -> Self:
        """Read one as a statement has it: whole and in order, among the fields of its own."""
        return cls(
            task=one_line(obj, "task"),
            dataset=parse_dataset(obj),
            harness=parse_harness(obj),
            config_sha256=canonical.nullable(obj, "config", reference),
            metrics=parse_metrics(obj),
            evaluated_at=canonical.instant(obj, "evaluated_at"),
        )

    def to_json(self) -> dict[str, object]:
        """The JSON form, whole and in order: so a statement has it."""
        harness = self.harness
        return {
            "task": self.task,
            "dataset": {"name": self.dataset.name, "sha256": self.dataset.sha256},
            "harness": {
                "name": harness.name,
                "version": harness.version,
                "commit": harness.commit,
            },
            "config": as_reference(self.config_sha256),
            "metrics": [
                {"name": each.name, "value": each.value, "standard_error": each.standard_error}
                for each in self.metrics
            ],
            "evaluated_at": canonical.instant_text(self.evaluated_at),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationClaim:
    """Somebody ran this checkpoint through this harness, on these data, and these came out."""

    checkpoint_sha256: str
    evaluation: str
    """An id of its own: two people who say the same say two things."""
    checkpoint_statement_sha256: str
    conduct: ConductReference
    result: Result

    @classmethod
    def parse(cls, statement: Statement) -> Self:
        """Read the claim out of a statement."""
        predicate = predicate_of(statement, EVALUATION_V1, *_FIELDS)
        claim = cls(
            checkpoint_sha256=statement.subjects[0].sha256,
            evaluation=canonical.text(predicate, "evaluation"),
            checkpoint_statement_sha256=reference(predicate, "statement"),
            conduct=ConductReference.parse(predicate, "conduct"),
            result=Result.within(predicate),
        )
        return same(claim, statement)

    def statement(self) -> Statement:
        """The statement that makes this claim."""
        return Statement(
            subjects=(Subject(name="checkpoint", sha256=self.checkpoint_sha256),),
            predicate_type=EVALUATION_V1,
            predicate={
                "evaluation": self.evaluation,
                "statement": {"sha256": self.checkpoint_statement_sha256},
                "conduct": self.conduct.to_json(),
                **self.result.to_json(),
            },
        )


class Withdrawn(StrEnum):
    """Why somebody takes back what they said; words of their own would stay for ever."""

    MISTAKEN = "mistaken"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalClaim:
    """Whoever said how a checkpoint did no longer stands by it."""

    evaluation_sha256: str
    """Of the evaluation's statement."""
    reason: Withdrawn

    @classmethod
    def parse(cls, statement: Statement) -> Self:
        """Read the claim out of a statement."""
        predicate = predicate_of(statement, WITHDRAWAL_V1, "reason")
        claim = cls(evaluation_sha256=statement.subjects[0].sha256, reason=parse_reason(predicate))
        return same(claim, statement)

    def statement(self) -> Statement:
        """The statement that makes this claim."""
        return Statement(
            subjects=(Subject(name="evaluation", sha256=self.evaluation_sha256),),
            predicate_type=WITHDRAWAL_V1,
            predicate={"reason": self.reason.value},
        )


def parse_dataset(obj: Obj) -> Benchmark:
    """The data, in the field `dataset`."""
    inner = canonical.mapping(obj, "dataset")
    with canonical.within("dataset"):
        canonical.only(inner, "name", "sha256")
        return Benchmark(name=one_line(inner, "name"), sha256=canonical.sha256_hex(inner, "sha256"))


def parse_harness(obj: Obj) -> Harness:
    """The program, in the field `harness`."""
    inner = canonical.mapping(obj, "harness")
    with canonical.within("harness"):
        canonical.only(inner, "name", "version", "commit")
        return Harness(
            name=one_line(inner, "name"),
            version=one_line(inner, "version"),
            commit=canonical.nullable(inner, "commit", _commit),
        )


def parse_metrics(obj: Obj) -> tuple[Metric, ...]:
    """What was measured, in the field `metrics`, by name; none of them twice."""
    found = tuple(_metric(each) for each in canonical.items(obj, "metrics", maximum=MAX_METRICS))
    names = [each.name for each in found]
    if not found or names != sorted(set(names)):
        expected = f"1 to {MAX_METRICS}, sorted by name and each once"
        raise InvalidDocument("metrics", expected, ascii(names)[:MAX_NAME_CHARACTERS])
    return found


def parse_reason(obj: Obj) -> Withdrawn:
    """Why, in the field `reason`."""
    value = canonical.text(obj, "reason")
    if value not in list(Withdrawn):
        raise InvalidDocument("reason", " or ".join(Withdrawn), ascii(value[:MAX_NAME_CHARACTERS]))
    return Withdrawn(value)


def one_line(obj: Obj, field: str) -> str:
    """A name that can be shown anywhere."""
    value = canonical.text(obj, field)
    if not _NAME.fullmatch(value):
        expected = f"one line of at most {MAX_NAME_CHARACTERS} characters"
        raise InvalidDocument(field, expected, ascii(value[:MAX_NAME_CHARACTERS]))
    return value


def _in_order(metrics: Sequence[object]) -> list[Obj]:
    """By name, as a statement has them."""
    with canonical.within("metrics"):
        found: list[Obj] = [
            {"standard_error": None, **canonical.as_mapping(each, "metric")} for each in metrics
        ]
    return sorted(found, key=lambda each: str(each.get("name")))


def _metric(value: object) -> Metric:
    with canonical.within("metrics"):
        obj = canonical.as_mapping(value, "metric")
        canonical.only(obj, "name", "value", "standard_error")
        return Metric(
            name=one_line(obj, "name"),
            value=decimal(obj, "value"),
            standard_error=canonical.nullable(obj, "standard_error", decimal),
        )


def _commit(obj: Obj, field: str) -> str:
    value = canonical.text(obj, field)
    if not COMMIT.fullmatch(value):
        raise InvalidDocument(field, "7 to 64 hexadecimal digits", ascii(value[:80]))
    return value
