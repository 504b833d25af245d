# SPDX-License-Identifier: Apache-2.0
"""How a verification is kept: its steps in order, what they established, and the verdict.

A step that fails does not stop the others: each says for itself whether it passed, failed or could
not be reached for want of something that an earlier one should have established.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from ..acceptance import AcceptanceEvidence
from ..canonical import Obj
from ..digests import normalised_text, sha256
from ..errors import BadEnvelope, InvalidDocument, Outcome, Step, VerificationError
from ..excerpts import MAX_BYTES, Excerpt
from ..statements import (
    AcceptanceClaim,
    CheckpointClaim,
    ConductClaim,
    ConsentClaim,
    DatasetClaim,
    EvaluationClaim,
    OutputClaim,
    RunClaim,
    Statement,
    TakedownClaim,
    WithdrawalClaim,
)
from ..trust import TrustRoot
from ..values import dataclass
from .memory import Judgement
from .requirements import Requirements, Seen
from .standing import Standing

T = TypeVar("T")


class Match(StrEnum):
    """How content at hand compares with what was signed."""

    IDENTICAL = "identical"
    NORMALISED = "same after normalising"
    EXCERPT = "excerpt"
    NOT_COMPARED = "not compared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The digests of content at hand, and the text that may be an excerpt of what was signed."""

    sha256: str
    normalised_sha256: str | None
    text: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, data: bytes) -> Content:
        """The digests of some bytes; only UTF-8 text can be normalised."""
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            return cls(sha256=sha256(data), normalised_sha256=None)
        return cls(
            sha256=sha256(data),
            normalised_sha256=sha256(normalised_text(text).encode("utf-8")),
            text=text if len(data) <= MAX_BYTES else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """How content at hand compares with what was signed; of a part, where it stands in that."""

    match: Match
    excerpt: Excerpt | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A request and the salt, with which anyone can recompute the commitment to it."""

    document: Obj
    salt: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an answer of a registry's API says of an output beside its evidence."""

    stated: Mapping[str, str]
    """By name, those of `id`, `claim`, `checkpoint` and `media_type` that it carries."""
    request: Opening | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedPart:
    """What one bundle proved: who signed which statement by when, and where it is in the ledger."""

    name: str
    statement: Statement
    signer: str
    """The URI of whoever signed: what the leaf certificate names, or if that was opened, whose it
    is."""
    key_sha256: str
    """Of the SubjectPublicKeyInfo of the key that signed."""
    pseudonym: str | None
    """What the certificate names, where that was opened; else None."""
    signed_before: datetime
    """By when the signature existed (`standing`)."""
    index: int
    size: int
    """Of the tree whose head the proof leads to."""
    standing: Standing
    seen: Seen | None
    """Who had seen that head; None if nobody was asked for."""
    accepted_sha256: str | None = None
    """Which conduct policy its signer had accepted, as the certificate says; None for offices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """An acceptance as proved: whose it is, and what they signed by it."""

    evidence: AcceptanceEvidence
    party: str
    """Its URI."""
    claim: AcceptanceClaim
    consent: ConsentClaim | None
    """What a key signed, where that is shown: whose it is, the party alone says."""
    of: tuple[str, ...]
    """What the party signed by it: `output`, `checkpoint`, `base-1` for that checkpoint."""
    part: SignedPart


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """All that a verification established. Whoever holds one knows that every step passed."""

    kind: str
    trust: TrustRoot
    requirements: Requirements
    steps: tuple[Step, ...]
    parts: tuple[SignedPart, ...]
    match: Match = Match.NOT_COMPARED
    excerpt: Excerpt | None = None
    """Where the text at hand stands in the one that was signed, if it is a part of it."""
    output: OutputClaim | None = None
    evaluation: EvaluationClaim | None = None
    withdrawal: WithdrawalClaim | None = None
    """That whoever made the evaluation took it back: true of what was said, false as a result."""
    checkpoint: CheckpointClaim | None = None
    run: RunClaim | None = None
    dataset: DatasetClaim | None = None
    conduct: ConductClaim | None = None
    takedown: TakedownClaim | None = None
    """Why the registry serves the checkpoint no more; None where nothing at hand says so."""
    acceptances: tuple[Accepted, ...] = ()
    """Of those who signed any of this, as far as they were at hand."""
    bases: tuple[Verified, ...] = ()
    """The checkpoints that its run continued from, the nearest first, as far as they were at hand.

    Each with the steps that were taken about it, as numbered in the whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """Every step of a verification, taken whether or not others failed."""

    steps: tuple[Step, ...]
    failures: tuple[Step, ...]
    """Those that failed."""
    established: Verified | None = field(repr=False)
    """By all of them; None where one failed."""

    def verdict(self) -> Verified:
        """What was verified; raises the first failure, with the steps that passed before it."""
        if self.established is not None:
            return self.established
        first = self.failures[0]
        assert first.error is not None  # noqa: S101 - each that failed has one
        first.error.step = first
        first.error.passed = self.steps[: self.steps.index(first)]
        raise first.error  # after it steps are not reached; without it, only a stranger's


class NotReached(Exception):
    """A step needs what an earlier step did not establish, or its message says what nobody did."""


@dataclass(frozen=True, slots=True)
class Finding(Generic[T]):
    """What a step established, if it did."""

    value: T | None

    def get(self) -> T:
        """The value, for a step that cannot do without it."""
        if self.value is None:
            raise NotReached
        return self.value


@dataclass(frozen=True, slots=True)
class Report:
    """Collects the steps of one verification in order. The only value here that changes."""

    steps: list[Step] = field(default_factory=list[Step])
    first: int = 1
    """The number of the first."""

    @property
    def next_number(self) -> int:
        """Of the step that is taken next."""
        return self.first + len(self.steps)

    def check(self, code: str, title: str, run: Callable[[], tuple[T, str]]) -> Finding[T]:
        """Take one step: `run` returns what it establishes, and in words, or raises why not."""
        try:
            value, detail = run()
        except NotReached as missing:
            detail = str(missing) or "an earlier step failed"
            self._add(code, title, Outcome.NOT_REACHED, detail)
        except InvalidDocument as problem:
            error = BadEnvelope(str(problem))
            self._add(code, title, Outcome.FAILED, str(error), error)
        except VerificationError as error:
            self._add(code, title, Outcome.FAILED, str(error), error)
        else:
            self._add(code, title, Outcome.PASSED, detail)
            return Finding(value)
        return Finding(None)

    def take(self, judgement: Judgement[T]) -> T:
        """Take over steps that were taken before, or just now: they are numbered to follow."""
        self.steps.extend(judgement.steps)
        return judgement.found

    def judgement(self, found: T) -> Judgement[T]:
        """These steps, and what they established."""
        return Judgement(steps=tuple(self.steps), found=found)

    def adopt(self, steps: Sequence[Step], under: str) -> tuple[Step, ...]:
        """Take over the steps of another report, under a name for what they are about."""
        before = len(self.steps)
        self.steps.extend(
            replace(step, number=before + step.number, part=under, code=f"{under}.{step.code}")
            for step in steps
        )
        return tuple(self.steps[before:])

    def finish(self, establish: Callable[[tuple[Step, ...]], Verified]) -> Examination:
        """The examination that these steps are, and what they establish if none failed."""
        steps = tuple(self.steps)
        failures = tuple(step for step in steps if step.outcome is Outcome.FAILED)
        established = None if failures else establish(steps)
        return Examination(steps=steps, failures=failures, established=established)

    def _add(
        self,
        code: str,
        title: str,
        outcome: Outcome,
        detail: str,
        error: VerificationError | None = None,
    ) -> None:
        self.steps.append(
            Step(
                number=self.next_number,
                part=code.partition(".")[0],
                code=code,
                title=title,
                detail=detail,
                outcome=outcome,
                error=error,
            )
        )
