# SPDX-License-Identifier: Apache-2.0
"""A part of a generated text verifies by the lines that were signed, where that is asked for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.signing import canonical
from assay.signing.certificates import Purpose
from assay.signing.digests import sha256
from assay.signing.errors import InvalidDocument
from assay.signing.evidence import Evidence
from assay.signing.excerpts import MAX_BYTES, Excerpt, LineList
from assay.signing.statements import OUTPUT_V2, ListReference, OutputClaim, Statement
from assay.signing.trust import TrustRoot
from assay.signing.verify import Basis, Content, Examination, Match, Requirements, examine_output
from tests.signing.world import World
from tests.vectors.excerpts import TEXT, naming_lines
from tests.vectors.mutation import changed

Json: TypeAlias = Any
GIVEN: Json = json.loads(
    (Path(__file__).parents[1] / "vectors/excerpts.json").read_text(encoding="ascii")
)
PART = "    if side < 0:\n        return None"


def examined(
    text: str, document: Json = GIVEN["evidence"], *, accepts_excerpt: bool = True
) -> Examination:
    trust = TrustRoot.parse(GIVEN["trust_root"])
    as_of = canonical.instant(GIVEN, "as_of")
    requirements = Requirements(as_of=as_of, accepts_excerpt=accepts_excerpt)
    return examine_output(
        Evidence.parse(document),
        basis=Basis(trust=trust, requirements=requirements),
        content=Content.of(text.encode()),
    )


def failed(found: Examination) -> list[str]:
    return [step.code for step in found.failures]


def test_the_list_is_of_the_lines_as_they_are() -> None:
    found = Evidence.parse(GIVEN["evidence"]).lines
    assert found == LineList.of(TEXT)
    assert found.digests[1] == sha256(b"    if side < 0:")
    assert list(found.digests) == GIVEN["lines"]
    claim = OutputClaim.parse(
        Statement.parse(Evidence.parse(GIVEN["evidence"]).bundles["output"].envelope.payload)
    )
    listed = "".join(f"{each}\n" for each in GIVEN["lines"]).encode()
    assert claim.lines == ListReference(count=6, sha256=sha256(listed))


@pytest.mark.parametrize("case", GIVEN["parts"], ids=lambda case: case["name"])
def test_a_part_comes_to(case: Json) -> None:
    found = examined(case["text"])
    assert failed(found) == case.get("failed", [])
    if found.failures:
        return
    verdict = found.verdict()
    assert verdict.match.value == case["match"]
    excerpt = verdict.excerpt
    place = None if excerpt is None else [excerpt.first, excerpt.last, excerpt.of]
    assert place == case.get("excerpt")


def test_nobody_gets_a_part_for_the_whole_unasked() -> None:
    found = examined(PART, accepts_excerpt=False)
    assert failed(found) == ["text"]
    assert "an excerpt, lines 2 to 3 of 6, which nobody asked for" in found.failures[0].detail
    assert "excerpt" not in examined("other", accepts_excerpt=False).failures[0].detail


@pytest.mark.parametrize("case", GIVEN["changed"], ids=lambda case: case["name"])
def test_one_change_fails_what_speaks_of_it(case: Json) -> None:
    document = changed(GIVEN["evidence"], case)
    assert failed(examined(PART, document)) == case["failed"]


@pytest.mark.parametrize("case", GIVEN["refused"], ids=lambda case: case["why"])
def test_what_is_no_list_is_refused(case: Json) -> None:
    with pytest.raises(InvalidDocument):
        Evidence.parse({**GIVEN["evidence"], "lines": case["lines"]})


def test_a_list_beside_an_output_that_names_none_is_refused(world: World) -> None:
    evidence = replace(world.evidence_for_output(), lines=LineList.of("hello"))
    basis = Basis(trust=world.trust, requirements=replace(world.requirements, accepts_excerpt=True))
    found = examine_output(evidence, basis=basis, content=Content.of(b"hello"))
    assert failed(found) == ["text", "output.lines"]
    assert "names none" in found.failures[1].detail


def test_a_count_that_is_not_the_lists_is_refused(world: World) -> None:
    evidence = naming_lines(world)
    payload = evidence.bundles["output"].envelope.payload
    claim = OutputClaim.parse(Statement.parse(payload))
    assert claim.lines is not None
    more = replace(claim, lines=replace(claim.lines, count=7)).statement()
    assert more.predicate_type == OUTPUT_V2
    bundle = world.bundle(world.sign(more, Purpose.OUTPUT, world.alice))
    changed = replace(evidence, bundles={**evidence.bundles, "output": bundle})
    basis = Basis(trust=world.trust, requirements=world.requirements)
    found = examine_output(changed, basis=basis, content=Content.of(TEXT.encode()))
    assert failed(found) == ["output.lines"]
    assert found.failures[0].detail == "expected 7 lines, found 6"


def test_a_file_of_more_than_a_megabyte_is_no_excerpt() -> None:
    padded = PART + "\n" * MAX_BYTES
    assert failed(examined(padded)) == ["text"]
    assert examined(PART + "\n" * 1000).verdict().match is Match.EXCERPT


def test_one_line_and_several_in_words() -> None:
    assert str(Excerpt(first=3, last=3, of=9)) == "line 3 of 9"
    assert str(Excerpt(first=3, last=5, of=9)) == "lines 3 to 5 of 9"


@given(st.lists(st.sampled_from(["a", "b", "", " a", "c "]), max_size=8), st.data())
def test_each_run_of_lines_is_found_where_it_stands(lines: list[str], data: st.DataObject) -> None:
    shown = LineList.of("\n".join(lines))
    first = data.draw(st.integers(0, len(lines)))
    last = data.draw(st.integers(first, len(lines)))
    part = "\n".join(lines[first:last])
    found = shown.find(part)
    if not part.strip("\n"):
        assert found is None
    else:
        assert found is not None
        assert shown.digests[found.first - 1 : found.last] == LineList.of(part).digests
        assert found.first <= first + 1


def test_of_more_lines_than_were_signed_none_is_hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    signed = LineList.of("a\nb")
    hashed: list[bytes] = []
    monkeypatch.setattr("assay.signing.excerpts.sha256", hashed.append)
    assert signed.find("a\nb\na") is None
    assert hashed == []
