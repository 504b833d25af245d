# SPDX-License-Identifier: Apache-2.0
"""What an excerpt of a text has in common with it: the digests of its paragraphs and lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.signing.digests import normalised_text, sha256

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


def _pieces(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n{2,}", text):
        yield paragraph
        yield from paragraph.split("\n")


def _folded(piece: str) -> str:
    return " ".join(piece.split()).casefold()
