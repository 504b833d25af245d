# SPDX-License-Identifier: Apache-2.0
"""The in-toto Statement v1 that every claim is carried by, and who may sign which kind."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Protocol, Self, TypeVar

from .. import canonical
from ..canonical import Obj
from ..certificates import Purpose
from ..digests import sha256
from ..errors import InvalidDocument
from ..values import dataclass

STATEMENT_V1 = "https://in-toto.io/Statement/v1"
CHECKPOINT_V1 = "https://assay/checkpoint/v1"
CHECKPOINT_V2 = "https://assay/checkpoint/v2"
RUN_V1 = "https://assay/run/v1"
DATASET_V1 = "https://assay/dataset/v1"
CONDUCT_V1 = "https://assay/conduct/v1"
ACCEPTANCE_V1 = "https://assay/acceptance/v1"
ACCEPTANCE_V2 = "https://assay/acceptance/v2"
CONSENT_V1 = "https://assay/consent/v1"  # by a key of the party's own, which no certificate names
OUTPUT_V1 = "https://assay/output/v1"
OUTPUT_V2 = "https://assay/output/v2"
BATCH_V1 = "https://assay/output-batch/v1"
REVOCATION_V1 = "https://assay/revocation/v1"
TAKEDOWN_V1 = "https://assay/takedown/v1"
TAKEDOWN_V2 = "https://assay/takedown/v2"
SANCTION_V1 = "https://assay/sanction/v1"
LIFTING_V1 = "https://assay/sanction-lifting/v1"
PERIOD_V1 = "https://assay/period-export/v1"
EVALUATION_V1 = "https://assay/evaluation/v1"
WITHDRAWAL_V1 = "https://assay/evaluation-withdrawal/v1"
OMS_V1 = "https://model_signing/signature/v1.0"

PURPOSE_OF: Mapping[str, Purpose] = {
    CHECKPOINT_V1: Purpose.CHECKPOINT,
    CHECKPOINT_V2: Purpose.CHECKPOINT,
    RUN_V1: Purpose.NODE,
    DATASET_V1: Purpose.CHECKPOINT,
    CONDUCT_V1: Purpose.CONDUCT,
    ACCEPTANCE_V1: Purpose.CONDUCT,
    ACCEPTANCE_V2: Purpose.CONDUCT,
    OUTPUT_V1: Purpose.OUTPUT,
    OUTPUT_V2: Purpose.OUTPUT,
    BATCH_V1: Purpose.OUTPUT,
    REVOCATION_V1: Purpose.CONDUCT,
    TAKEDOWN_V1: Purpose.CONDUCT,
    TAKEDOWN_V2: Purpose.CONDUCT,
    SANCTION_V1: Purpose.CONDUCT,
    LIFTING_V1: Purpose.CONDUCT,
    PERIOD_V1: Purpose.CONDUCT,
    EVALUATION_V1: Purpose.CHECKPOINT,
    WITHDRAWAL_V1: Purpose.CHECKPOINT,
    OMS_V1: Purpose.CHECKPOINT,
}

MAX_SUBJECTS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a statement is about."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """An in-toto Statement v1."""

    subjects: tuple[Subject, ...]
    predicate_type: str
    predicate: Obj

    @classmethod
    def parse(cls, payload: bytes) -> Self:
        """Read a payload, which must be in canonical form."""
        obj = canonical.as_mapping(canonical.loads_canonical(payload), "statement")
        canonical.only(obj, "_type", "subject", "predicateType", "predicate")
        canonical.literal(obj, "_type", STATEMENT_V1)
        values = canonical.items(obj, "subject", maximum=MAX_SUBJECTS)
        if not values:
            raise InvalidDocument("subject", "at least one subject", "none")
        return cls(
            subjects=tuple(_parse_subject(value) for value in values),
            predicate_type=canonical.text(obj, "predicateType"),
            predicate=canonical.mapping(obj, "predicate"),
        )

    def canonical(self) -> bytes:
        """The bytes that are signed."""
        subjects = [{"digest": {"sha256": s.sha256}, "name": s.name} for s in self.subjects]
        return canonical.dumps(
            {
                "_type": STATEMENT_V1,
                "subject": subjects,
                "predicateType": self.predicate_type,
                "predicate": self.predicate,
            }
        )

    @property
    def sha256(self) -> str:
        """The statement digest by which others refer to it."""
        return sha256(self.canonical())


class Claim(Protocol):
    """What a statement of one predicate type says, in typed fields."""

    def statement(self) -> Statement:
        """The statement that makes this claim."""
        ...


C = TypeVar("C", bound=Claim)


def predicate_type_of(payload: bytes) -> str:
    """Of a payload that was parsed before, or made here: what kind of statement it is."""
    return str(json.loads(payload)["predicateType"])


def predicate_of(statement: Statement, predicate_type: str, *fields: str) -> Obj:
    """The predicate of a statement that must be of one type and have only these fields."""
    if statement.predicate_type != predicate_type:
        raise InvalidDocument("predicateType", predicate_type, ascii(statement.predicate_type))
    with canonical.within("predicate"):
        canonical.only(statement.predicate, *fields)
    return statement.predicate


def same(claim: C, statement: Statement) -> C:
    """The claim, if it makes this very statement: its subjects follow from its fields."""
    expected = claim.statement().subjects
    if statement.subjects != expected:
        raise InvalidDocument("subject", _named(expected), _named(statement.subjects))
    return claim


def _named(subjects: tuple[Subject, ...]) -> str:
    return ", ".join(f"{subject.name!a} sha256:{subject.sha256}" for subject in subjects)


def _parse_subject(value: object) -> Subject:
    with canonical.within("subject"):
        obj = canonical.as_mapping(value, "subject")
        canonical.only(obj, "name", "digest")
        digest = canonical.mapping(obj, "digest")
        canonical.only(digest, "sha256")
        return Subject(
            name=canonical.text(obj, "name"), sha256=canonical.sha256_hex(digest, "sha256")
        )
