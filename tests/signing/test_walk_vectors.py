# SPDX-License-Identifier: Apache-2.0
"""Walks to the checkpoints that runs continued from (tests/vectors/walks.json)."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from assay.signing.evidence import Evidence
from assay.signing.trust import TrustRoot
from tests.vectors.walks import Walk, judged

Json: TypeAlias = Any
GIVEN: Json = json.loads(
    (Path(__file__).parents[1] / "vectors/walks.json").read_text(encoding="ascii")
)
EVIDENCE = {name: Evidence.parse(each) for name, each in GIVEN["evidence"].items()}


@pytest.mark.parametrize("case", GIVEN["walks"], ids=lambda each: each["name"])
def test_a_walk_goes_as_far_as_what_is_at_hand(case: Json) -> None:
    walk = Walk(
        name=case["name"],
        of=case["of"],
        bases=tuple(case.get("bases", ())),
        texts=tuple(map(b64decode, case.get("texts", ()))),
        lists=tuple(map(b64decode, case.get("lists", ()))),
    )
    found = judged(TrustRoot.parse(GIVEN["trust_root"]), EVIDENCE, walk)
    assert [step.code for step in found.failures] == case.get("failed", [])
    said = [[step.code, step.title, step.detail] for step in found.steps]
    assert [each for each in said if each[0].startswith("base-") or each[0] == "heads"] == case[
        "said"
    ]
    if found.failures:
        first = found.failures[0].error
        assert first is not None
        assert first.code == case["error"]
        return
    walked = [base.checkpoint.manifest_sha256 for base in found.verdict().bases if base.checkpoint]
    assert walked == [EVIDENCE[name].manifest.id for name in case.get("walked", [])]
