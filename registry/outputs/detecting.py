# SPDX-License-Identifier: Apache-2.0
"""What is known of a text that anybody asks about; the text itself is kept nowhere.

1. `signed`: the registry signed this very text, or its normalised form.
2. `watermark`: it shows the mark of one of the registry's keys, beyond chance.
3. `resembles`: paragraphs or lines of it are those of a text that was generated here.
4. `unknown`, which proves nothing.

The first that holds is the answer; what else was found is told beside it. Only outputs that
everybody may see are named.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from assay.signing import canonical
from assay.signing.canonical import Obj
from assay.signing.digests import as_id, normalised_text, sha256
from assay.signing.errors import InvalidDocument
from assay.signing.watermark import Count, count
from registry.catalog import queries as catalog

from . import excerpts, marks, queries
from .models import Output, State

MAX_TEXT_BYTES = 16 * 1024  # a second of one core under eight keys; sixteen of our longest texts
MAX_P_VALUE = 1e-6
"""Of a million texts that were written without the mark, one is said to show it."""
MAX_LISTED = 5
MAX_LOOKED_AT = 50


class Answer(StrEnum):
    """The most that is known."""

    SIGNED = "signed"
    WATERMARK = "watermark"
    RESEMBLES = "resembles"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """An output that is this text."""

    output: Output
    is_exact: bool
    """To the byte, and not only in its normalised form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resembling:
    """An output that shares paragraphs or lines with it."""

    output: Output
    shared: int
    asked: int
    """How many the text that was asked about has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """All that is known of a text."""

    signed: tuple[Signed, ...]
    mark: Count | None
    """What its coins show; None where this registry has no key."""
    resembling: tuple[Resembling, ...]

    @property
    def is_marked(self) -> bool:
        """Whether its coins show more than chance would."""
        return self.mark is not None and self.mark.p_value <= MAX_P_VALUE

    @property
    def answer(self) -> Answer:
        """The first that holds."""
        if self.signed:
            return Answer.SIGNED
        if self.is_marked:
            return Answer.WATERMARK
        return Answer.RESEMBLES if self.resembling else Answer.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The body of `POST /api/v1/detect`."""

    text: str

    @classmethod
    def parse(cls, obj: Obj) -> Self:
        """Read it."""
        canonical.only(obj, "text")
        text = canonical.text(obj, "text", max_characters=MAX_TEXT_BYTES)
        size_bytes = len(text.encode())
        if size_bytes > MAX_TEXT_BYTES:
            raise InvalidDocument("text", f"at most {MAX_TEXT_BYTES} bytes", str(size_bytes))
        return cls(text=text)


def detect(text: str) -> Found:
    """Look for a text among what was signed, for its mark, and for what it has in common."""
    keys = marks.keys()
    signed = tuple(_signed(text))
    known = {each.output.pk for each in signed}
    return Found(
        signed=signed,
        mark=count(text, keys) if keys else None,
        resembling=tuple(each for each in _resembling(text) if each.output.pk not in known),
    )


def _everybodys() -> QuerySet[Output]:
    """What is signed of a checkpoint that is not there any more proves nothing."""
    shown = queries.visible(None).filter(state=State.SIGNED, checkpoint__state__in=catalog.LOGGED)
    return shown.order_by("-ended_at")


def _signed(text: str) -> Iterator[Signed]:
    """Those of the very text first, however many there are of what is the same normalised."""
    exact, normalised = sha256(text.encode()), sha256(normalised_text(text).encode())
    same = list(_everybodys().filter(sha256=exact)[:MAX_LISTED])
    others = _everybodys().filter(normalised_sha256=normalised).exclude(sha256=exact)
    for each in (*same, *others[: MAX_LISTED - len(same)]):
        yield Signed(output=each, is_exact=each.sha256 == exact)


def _resembling(text: str) -> list[Resembling]:
    """Those that share most first, and of the newest of those that share anything."""
    asked = excerpts.pieces(text)
    rows = _everybodys().filter(pieces__overlap=asked)[:MAX_LOOKED_AT] if asked else ()
    found = [
        Resembling(output=each, shared=len({*asked} & {*each.pieces}), asked=len(asked))
        for each in rows
    ]
    return sorted(found, key=lambda each: -each.shared)[:MAX_LISTED]


def to_json(found: Found) -> dict[str, object]:
    """The answer of the API (docs/spec/http.md)."""
    return {
        "answer": found.answer,
        "says": in_words(found),
        "signed": [{**named(each.output), "is_exact": each.is_exact} for each in found.signed],
        "watermark": _watermark(found),
        "resembles": [
            {**named(each.output), "shared": each.shared, "asked": each.asked}
            for each in found.resembling
        ],
    }


def in_words(found: Found) -> str:
    """What the answer is worth, and what it is not."""
    match found.answer:
        case Answer.SIGNED:
            return _(
                "This registry signed this text. Its evidence is with the output: verify it, and "
                "take nobody's word for it, ours included."
            )
        case Answer.WATERMARK:
            return _(
                "It shows this registry's watermark: of a million texts without it one at most "
                "would show as much. That is no signature: it does not say which checkpoint wrote "
                "it or when, others may have added to it, and whoever has the key can make it."
            )
        case Answer.RESEMBLES:
            return _(
                "Paragraphs or lines of it are also in what was generated here. Both may have "
                "them from elsewhere."
            )
        case Answer.UNKNOWN:
            return _(
                "Nothing is known of it here, which proves nothing: people write texts, other "
                "models do, and a short or much edited text shows no mark."
            )


def _watermark(found: Found) -> dict[str, object] | None:
    if found.mark is None:
        return None
    return {
        "is_found": found.is_marked,
        "p_value": found.mark.p_value,
        "max_p_value": MAX_P_VALUE,
        "key": found.mark.key,
        "places": found.mark.places,
    }


def named(output: Output) -> dict[str, object]:
    """An output as an answer names it."""
    return {
        "id": str(output.pk),
        "url": f"{settings.PUBLIC_URL}{output.path}",
        "claim": output.claim,
        "checkpoint": as_id(output.checkpoint.manifest_sha256),
        "signed_at": output.ended_at,
    }
