# SPDX-License-Identifier: Apache-2.0
"""What an excerpt of a text has in common with it, to be found by, and to be verified by.

It is found by the digests of paragraphs and lines that are long enough (`pieces`), whatever a copy
changed of them; it verifies by those of all lines as they are, which the statement names (`named`)
and the evidence has (`stated`), for as long as the text is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.signing.digests import normalised_text, sha256
from assay.signing.excerpts import MAX_LINES, LineList
from assay.signing.statements import OUTPUT_V2, ListReference

from .models import Output

# A shorter line, such as `return self`, is in any number of texts, and says nothing of one.
MIN_CHARACTERS = 40
MAX_PIECES = 1000


def pieces(text: str) -> list[str]:
    """The digest of each paragraph and each line that is long enough, each once, in their order.

    Of letters and signs alone: capitals and white space are what a copy changes.
    """
    folded = (_folded(each) for each in _pieces(normalised_text(text)))
    long = dict.fromkeys(each for each in folded if len(each) >= MIN_CHARACTERS)
    return [sha256(each.encode()) for each in long][:MAX_PIECES]


def named(text: str) -> ListReference | None:
    """What a statement says of the text's lines; None for none, or more than evidence may have."""
    lines = LineList.of(text)
    count = len(lines.digests)
    return ListReference(count=count, sha256=lines.sha256) if 0 < count <= MAX_LINES else None


def stated(of: Output) -> LineList | None:
    """The list that goes with the evidence, if the statement names one: older ones do not."""
    statement = of.statement
    if statement is None or statement.predicate_type != OUTPUT_V2 or not of.text:
        return None
    return LineList.of(of.text)


def _pieces(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n{2,}", text):
        yield paragraph
        yield from paragraph.split("\n")


def _folded(piece: str) -> str:
    return " ".join(piece.split()).casefold()
