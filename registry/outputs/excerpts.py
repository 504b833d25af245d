# SPDX-License-Identifier: Apache-2.0
"""What an excerpt of a text has in common with it, to be found by, and to be verified by.

It is found by the digests of paragraphs and lines that are long enough (`pieces`), whatever a copy
changed of them; it verifies by those of all lines as they are, which the statement names (`named`)
and the evidence has (`stated`), for as long as the text is kept. Of callers' own texts nothing is
here but what they say of their lines: they have the list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.signing.digests import normalised_text, sha256
from assay.signing.excerpts import LineList
from assay.signing.statements import OUTPUT_V2, ListReference, lines_of

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


def named(of: Output) -> ListReference | None:
    """What its statement says of lines: those of its text, or what its caller said of theirs."""
    if of.lines_count is not None:
        return ListReference(count=of.lines_count, sha256=of.lines_sha256)
    return lines_of(of.text)


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
