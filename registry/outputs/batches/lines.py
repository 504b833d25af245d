# SPDX-License-Identifier: Apache-2.0
"""What a caller sends: a line of JSON for the batch, and one for each output.

Each line is read for itself, so that a refusal says which it was.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, NamedTuple, NoReturn, Self

from rest_framework.parsers import BaseParser

from assay.signing import canonical
from assay.signing.digests import is_digest, parse_id
from assay.signing.errors import InvalidDocument
from assay.signing.statements.batch import MAX_OUTPUTS
from registry.api.problems import InvalidRequest, TooLarge

from ..asking import media_type

MEDIA_TYPE = "application/x-ndjson"
MEBIBYTE = 1024 * 1024
# A line with both digests and the longest media type has less than 300 bytes.
MAX_BODY_BYTES = 32 * MEBIBYTE
MAX_LINE_CHARACTERS = 512  # so that none is nested deeper than a parser's stack
HEADER = ("checkpoint", "media_type")
FIELDS = frozenset({"sha256", "normalised", "media_type"})
BODY = "lines"


class LinesParser(BaseParser):
    """application/x-ndjson, as one text under `lines`: what stands in it, `Submission` reads."""

    media_type = MEDIA_TYPE

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, object] | None = None,
    ) -> dict[Any, Any]:
        """The body; raises TooLarge, or InvalidRequest for what is not UTF-8."""
        del media_type, parser_context
        body = stream.read(MAX_BODY_BYTES + 1)
        if len(body) > MAX_BODY_BYTES:
            raise TooLarge(f"expected at most {MAX_BODY_BYTES} bytes, found more")
        try:
            return {BODY: body.decode("utf-8")}
        except UnicodeDecodeError as error:
            raise InvalidRequest(
                f"expected UTF-8, found byte 0x{body[error.start]:02x} at offset {error.start}"
            ) from error


class Content(NamedTuple):
    """What the caller says of one output; there are so many that they are made of little."""

    sha256: str
    normalised: str | None
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """The body of `POST /api/v1/outputs/batch`."""

    checkpoint: str
    contents: tuple[Content, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read it; raises InvalidDocument with the number of the line."""
        first, *lines = text.removesuffix("\n").split("\n")
        header = _object(first, "line 1")
        with canonical.within("line 1"):
            canonical.only(header, *HEADER)
            checkpoint = parse_id(canonical.text(header, "checkpoint"), "checkpoint")
            usual = media_type(header)
        if not 1 <= len(lines) <= MAX_OUTPUTS:
            raise InvalidDocument("outputs", f"1 to {MAX_OUTPUTS} lines", str(len(lines)))
        known = {usual: usual}
        contents = tuple(
            _content(line, number, usual, known) for number, line in enumerate(lines, start=2)
        )
        _check_distinct(contents)
        return cls(checkpoint=checkpoint, contents=contents)


def column(values: Sequence[str]) -> str:
    """One value of each output, a line each; the one that all of them have stands alone."""
    return values[0] if len(set(values)) == 1 else "\n".join(values)


def values_of(column: str, count: int) -> list[str]:
    """What `column` was made of."""
    values = column.split("\n")
    return values * count if len(values) == 1 else values


def _content(line: str, number: int, usual: str, known: dict[str, str]) -> Content:
    """`known` are the media types that were judged already."""
    obj = _object(line, f"line {number}")
    sha256, normalised = obj.get("sha256"), obj.get("normalised")
    kind = obj.get("media_type", usual)
    is_read = (
        obj.keys() <= FIELDS
        and isinstance(sha256, str)
        and is_digest(sha256)
        and (normalised is None or (isinstance(normalised, str) and is_digest(normalised)))
    )
    if not is_read:
        _refuse(obj, number)
    if not isinstance(kind, str) or kind not in known:
        with canonical.within(f"line {number}"):
            kind = known.setdefault(str(kind), media_type(obj))
    return Content(sha256, normalised, kind)  # type: ignore[arg-type]  # is_read


def _refuse(obj: canonical.Obj, number: int) -> NoReturn:
    """The same by the readers of documents, which say what is wrong."""
    with canonical.within(f"line {number}"):
        canonical.only(obj, *FIELDS)
        canonical.sha256_hex(obj, "sha256")
        canonical.sha256_hex(obj, "normalised")
    raise InvalidDocument(f"line {number}", "an output", "something else")


def _object(line: str, where: str) -> dict[str, object]:
    if len(line) > MAX_LINE_CHARACTERS:
        raise InvalidDocument(where, f"at most {MAX_LINE_CHARACTERS} characters", str(len(line)))
    try:
        value: object = json.loads(line, object_pairs_hook=_once)
    except ValueError as error:
        raise InvalidDocument(where, "a JSON object, each member once", ascii(line[:60])) from error
    if not isinstance(value, dict):
        raise InvalidDocument(where, "a JSON object, each member once", ascii(line[:60]))
    return value


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member twice")
    return members


def _check_distinct(contents: tuple[Content, ...]) -> None:
    first: dict[str, int] = {}
    for number, content in enumerate(contents, start=2):
        before = first.setdefault(content.sha256, number)
        if before != number:
            found = f"the one of line {before} again"
            raise InvalidDocument(f"line {number}.sha256", "each digest once", found)
