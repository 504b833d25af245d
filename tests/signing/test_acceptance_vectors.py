# SPDX-License-Identifier: Apache-2.0
"""Acceptances beside what their parties signed (tests/vectors/acceptances.json)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from assay.signing import canonical
from assay.signing.acceptance import AcceptanceEvidence
from assay.signing.errors import InvalidDocument
from assay.signing.evidence import Evidence
from assay.signing.trust import TrustRoot
from tests.vectors.acceptances import Showing, about_acceptances, judged

Json: TypeAlias = Any
GIVEN: Json = json.loads(
    (Path(__file__).parents[1] / "vectors/acceptances.json").read_text(encoding="ascii")
)
EVIDENCE = {name: Evidence.parse(each) for name, each in GIVEN["evidence"].items()}
SHOWN = {name: AcceptanceEvidence.parse(each) for name, each in GIVEN["acceptances"].items()}


@pytest.mark.parametrize("case", GIVEN["showings"], ids=lambda each: each["name"])
def test_an_acceptance_counts_for_what_its_party_signed_by_it(case: Json) -> None:
    showing = Showing(
        name=case["name"],
        of=case["of"],
        acceptances=tuple(case.get("acceptances", ())),
        bases=tuple(case.get("bases", ())),
    )
    found = judged(TrustRoot.parse(GIVEN["trust_root"]), GIVEN["proof"], EVIDENCE, SHOWN, showing)
    assert [step.code for step in found.failures] == case.get("failed", [])
    assert about_acceptances(found) == case["said"]
    if found.failures:
        first = found.failures[0].error
        assert first is not None
        assert first.code == case["error"]
        return
    counted = [list(each.of) for each in found.verdict().acceptances]
    assert counted == case.get("count", [])


@pytest.mark.parametrize("case", GIVEN["refused"], ids=lambda each: each["why"])
def test_what_is_no_evidence_of_an_acceptance_is_refused(case: Json) -> None:
    with pytest.raises(InvalidDocument) as refused:
        AcceptanceEvidence.parse(case["acceptance"])
    assert case["says"] in str(refused.value)


@pytest.mark.parametrize("name", SHOWN)
def test_it_is_written_as_it_was_read(name: str) -> None:
    assert SHOWN[name].to_json() == GIVEN["acceptances"][name]
    assert AcceptanceEvidence.parse(canonical.loads(SHOWN[name].canonical())) == SHOWN[name]
