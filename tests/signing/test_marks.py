# SPDX-License-Identifier: Apache-2.0
"""Whether a text was written with a watermark stands in its statement, where it is known."""

import json
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from assay.signing.errors import InvalidDocument
from assay.signing.statements import Mark, OutputClaim, Statement
from tests.vectors.marks import mark_vectors

FILE = Path(__file__).parent.parent / "vectors" / "marks.json"
Json: TypeAlias = Any
VECTORS: Json = json.loads(FILE.read_text(encoding="ascii"))


def claimed(generation: object) -> Statement:
    document = VECTORS["statement"]
    predicate = {**document["predicate"], "generation": generation}
    return Statement.parse(
        json.dumps(  # canonical: sorted, no spaces, ASCII
            {**document, "predicate": predicate}, sort_keys=True, separators=(",", ":")
        ).encode()
    )


@pytest.mark.parametrize("each", VECTORS["accepted"], ids=lambda each: each["why"])
def test_what_is_said_of_a_mark_is_read_and_said_again(each: Json) -> None:
    statement = claimed(each["generation"])
    claim = OutputClaim.parse(statement)
    assert claim.mark == (each["mark"] and Mark.parse(each["mark"]))
    assert claim.mark is None or claim.mark.to_json() == each["mark"]
    assert claim.statement() == statement


@pytest.mark.parametrize("each", VECTORS["refused"], ids=lambda each: each["why"])
def test_what_is_no_mark_is_refused(each: Json) -> None:
    with pytest.raises(InvalidDocument, match=r"generation\.mark"):
        OutputClaim.parse(claimed(each["generation"]))


def test_the_vectors_are_those_that_are_written() -> None:
    assert mark_vectors() == VECTORS
