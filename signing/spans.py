# SPDX-License-Identifier: Apache-2.0
"""Read a document of which most was read before: what is the same to the byte is not read again.

Of ten thousand outputs nine tenths of each file are the evidence of one checkpoint. Which of it may
be so is for the caller to name, and what JSON is, for `canonical`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import TypeAlias

from . import canonical
from .canonical import Known
from .errors import InvalidDocument
from .once import Recent, Written
from .values import dataclass

KEPT = 8  # documents whose parts are known: as many checkpoints, say, whose outputs are mixed
MAX_BYTES = 1 << 20  # of those; what is longer is read each time
WORTH_BYTES = 1 << 10  # of an object: a smaller one is read as quickly as it is found
_HEAD_BYTES = 64  # to find it by: its name, and enough that another of that name is passed over


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """An object as it stood in a document, behind its name."""

    written: bytes
    """With its name."""
    name_bytes: int
    value: Written


_Family: TypeAlias = tuple[_Span, ...]


def loads(data: bytes, *, names: Collection[str]) -> object:
    """As `canonical.loads`, but objects of these names may be read-only.

    1. A document that has all of them that one before it had, byte for byte, is read around them.
    2. Any other is read as a whole; so is one with a mistake, which is said of the whole.
    """
    for family in _families().values:
        if known := _found(data, family):
            try:
                return canonical.loads_around(data, known)  # 1
            except InvalidDocument:
                return canonical.loads(data)  # 2
    value = canonical.loads(data)
    if len(data) <= MAX_BYTES and (family := tuple(_spans(data.decode(), frozenset(names)))):
        _families().add(family, most=KEPT)
    return value


@lru_cache(1)
def _families() -> Recent[_Family]:
    """Those of this process, which are forgotten as all that is remembered."""
    return Recent()


def _found(data: bytes, family: _Family) -> list[Known]:
    """Where each of them stands in a document, in this order; nothing if one does not."""
    found: list[Known] = []
    after = 0
    for span in family:
        start = data.find(span.written[:_HEAD_BYTES], after)
        if start < 0 or not data.startswith(span.written, start):
            return []
        after = start + len(span.written)
        found.append(Known(start=start + span.name_bytes, end=after, value=span.value))
    return found


def _spans(document: str, names: frozenset[str]) -> Iterator[_Span]:
    """What may be met again, of a document that was read strictly.

    A quote in a string is escaped there: where such a name ends, an object begins.
    """
    named = _named(names)
    after = 0
    while (match := named.search(document, after)) is not None:
        start, (_, after) = match.end() - 1, _JSON.raw_decode(document, match.end() - 1)
        written = document[start:after].encode()
        if len(written) < WORTH_BYTES:
            continue
        try:
            value = canonical.loads(written, max_depth=canonical.PART_DEPTH)
        except InvalidDocument:  # too deep
            continue
        name = document[match.start() : start].encode()
        yield _Span(written=name + written, name_bytes=len(name), value=Written(value))


@lru_cache(1)
def _named(names: frozenset[str]) -> re.Pattern[str]:
    return re.compile(rf'"(?:{"|".join(map(re.escape, sorted(names)))})"[ \t\r\n]*:[ \t\r\n]*\{{')


_JSON = json.JSONDecoder()
