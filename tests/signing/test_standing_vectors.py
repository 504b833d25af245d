# SPDX-License-Identifier: Apache-2.0
"""What was revoked before, at and after a proven time (tests/vectors/standings.json)."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from assay.signing import canonical
from assay.signing.bundle import Bundle
from assay.signing.evidence import Evidence
from assay.signing.tlog import Policy
from assay.signing.trust import TrustRoot
from assay.signing.verify import Basis, Examination, Requirements
from tests.vectors.standing import KEPT
from tests.vectors.standings import judged

Json: TypeAlias = Any
GIVEN: Json = json.loads(
    (Path(__file__).parents[1] / "vectors/standings.json").read_text(encoding="ascii")
)


def examined(case: Json) -> Examination:
    evidence = Evidence.parse(GIVEN["evidence"])
    if "lists" in case:
        evidence = replace(evidence, lists=tuple(map(b64decode, case["lists"])))
    bundles = {
        part: with_note(bundle, case.get("notes", {}).get(part))
        for part, bundle in evidence.bundles.items()
    }
    policy = Policy.parse(GIVEN["policy"].encode()) if case["asks"] else None
    basis = Basis(
        trust=TrustRoot.parse(GIVEN["trust_root"]),
        requirements=Requirements(as_of=canonical.instant(GIVEN, "as_of"), policy=policy),
        answers=tuple(map(b64decode, case.get("answers", []))),
    )
    return judged(replace(evidence, bundles=bundles), basis)


def with_note(bundle: Bundle, note: str | None) -> Bundle:
    return bundle if note is None else replace(bundle, proof=replace(bundle.proof, note=note))


@pytest.mark.parametrize("case", GIVEN["standings"], ids=lambda each: each["name"])
def test_what_was_revoked_counts_from_its_own_moment(case: Json) -> None:
    found = examined(case)
    assert [step.code for step in found.failures] == case.get("failed", [])
    said = {step.code: step.detail for step in found.steps if step.code.split(".")[-1] in KEPT}
    assert said == case["said"]
    if found.failures:
        first = found.failures[0].error
        assert first is not None
        assert first.code == case["error"]
        return
    part = found.verdict().parts[0]
    proven = part.standing.proven_at
    assert canonical.instant_text(part.signed_before) == case["signed_before"]
    assert (None if proven is None else canonical.instant_text(proven)) == case["proven_at"]
    assert list(part.standing.revoked) == case["revoked"]
