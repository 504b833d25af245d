# SPDX-License-Identifier: Apache-2.0
"""The claim that a text or other content was generated from a checkpoint.

Version 2 names the lines of a text besides; of what has none there is version 1 alone.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from .. import canonical
from ..canonical import Obj
from ..errors import InvalidDocument
from ..excerpts import MAX_LINES, LineList
from ..values import dataclass
from .references import ConductReference, ListReference, commitment, reference
from .statement import OUTPUT_V1, OUTPUT_V2, Statement, Subject, predicate_of, same

NORMALISED = ".normalised"
MARK = "mark"
TEXTS = "text/"
MAX_MARK_CHARACTERS = 100
_FIELDS = ("output", "claim", "checkpoint", "conduct", "media_type", "request", "generation")
_LINES = "lines"


class Origin(StrEnum):
    """Who saw the content come out of the checkpoint."""

    SERVER_GENERATED = "server-generated"
    CALLER_ASSERTED = "caller-asserted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The watermark that a text or a picture was made with (docs/spec/watermark.md)."""

    scheme: str
    key: str
    """The id of its key."""

    @classmethod
    def parse(cls, obj: Obj) -> Self:
        """Read it; schemes that this reader does not know are as good."""
        canonical.only(obj, "scheme", "key")
        return cls(
            scheme=canonical.text(obj, "scheme", max_characters=MAX_MARK_CHARACTERS),
            key=canonical.text(obj, "key", max_characters=MAX_MARK_CHARACTERS),
        )

    def to_json(self) -> dict[str, object]:
        """The JSON form."""
        return {"scheme": self.scheme, "key": self.key}


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputClaim:
    """Content was generated from a checkpoint; `claim` says who saw it."""

    exact_sha256: str
    """Of the very bytes."""
    normalised_sha256: str | None
    """Of the UTF-8 bytes of the normalised text; always there for a server-generated text."""
    output: str
    claim: Origin
    checkpoint_sha256: str
    checkpoint_statement_sha256: str
    conduct: ConductReference
    media_type: str
    request_commitment: str | None
    generation: Obj | None
    """Decoding parameters, with `mark` among them where it is known whether there is one."""
    lines: ListReference | None = None
    """Of an `excerpts.LineList`; None in version 1, which names no lines."""

    @classmethod
    def parse(cls, statement: Statement) -> Self:
        """Read the claim out of a statement."""
        has_lines = statement.predicate_type == OUTPUT_V2
        if has_lines:
            predicate = predicate_of(statement, OUTPUT_V2, *_FIELDS, _LINES)
        else:
            predicate = predicate_of(statement, OUTPUT_V1, *_FIELDS)
        checkpoint = canonical.mapping(predicate, "checkpoint")
        with canonical.within("checkpoint"):
            canonical.only(checkpoint, "sha256", "statement")
            checkpoint_sha256 = canonical.sha256_hex(checkpoint, "sha256")
            checkpoint_statement_sha256 = reference(checkpoint, "statement")
        digests = [subject.sha256 for subject in statement.subjects]
        claim = cls(
            exact_sha256=digests[0],
            normalised_sha256=digests[1] if digests[1:] else None,
            output=canonical.text(predicate, "output"),
            claim=_origin(predicate),
            checkpoint_sha256=checkpoint_sha256,
            checkpoint_statement_sha256=checkpoint_statement_sha256,
            conduct=ConductReference.parse(predicate, "conduct"),
            media_type=canonical.text(predicate, "media_type"),
            request_commitment=canonical.nullable(predicate, "request", commitment),
            generation=canonical.nullable(predicate, "generation", canonical.mapping),
            lines=ListReference.parse(predicate, _LINES) if has_lines else None,
        )
        if claim.is_our_text and claim.normalised_sha256 is None:
            raise InvalidDocument("subject", "`text` and `text.normalised`", "`text` alone")
        with canonical.within("generation"):
            _mark(claim.generation)
        return same(claim, statement)

    @property
    def is_our_text(self) -> bool:
        """Whether it is a text that was generated, and nothing else: then its digests are two."""
        return self.claim is Origin.SERVER_GENERATED and self.media_type.startswith(TEXTS)

    @property
    def mark(self) -> Mark | None:
        """The watermark that it says the content was made with."""
        return _mark(self.generation)

    def statement(self) -> Statement:
        """The statement that makes this claim."""
        name = "text" if self.is_our_text else "content"
        subjects = [Subject(name=name, sha256=self.exact_sha256)]
        if self.normalised_sha256 is not None:
            subjects.append(Subject(name=name + NORMALISED, sha256=self.normalised_sha256))
        request, lines = self.request_commitment, self.lines
        named: Obj = {} if lines is None else {_LINES: lines.to_json()}
        return Statement(
            subjects=tuple(subjects),
            predicate_type=OUTPUT_V2 if named else OUTPUT_V1,
            predicate={
                "output": self.output,
                "claim": str(self.claim),
                "checkpoint": {
                    "sha256": self.checkpoint_sha256,
                    "statement": {"sha256": self.checkpoint_statement_sha256},
                },
                "conduct": self.conduct.to_json(),
                "media_type": self.media_type,
                "request": None if request is None else {"commitment": request},
                "generation": self.generation,
                **named,
            },
        )


def lines_of(text: str) -> ListReference | None:
    """What is said of a text's lines; None for none, or more than evidence may have."""
    found = LineList.of(text)
    count = len(found.digests)
    return ListReference(count=count, sha256=found.sha256) if 0 < count <= MAX_LINES else None


def _mark(generation: Obj | None) -> Mark | None:
    """None too for what was said before there were marks, which says nothing of one."""
    if generation is None or MARK not in generation:
        return None
    stated = canonical.nullable(generation, MARK, canonical.mapping)
    with canonical.within(MARK):
        return None if stated is None else Mark.parse(stated)


def _origin(predicate: Obj) -> Origin:
    value = canonical.text(predicate, "claim")
    if value not in list(Origin):
        raise InvalidDocument("claim", " or ".join(Origin), ascii(value))
    return Origin(value)
