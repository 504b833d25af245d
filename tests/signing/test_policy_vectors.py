# SPDX-License-Identifier: Apache-2.0
"""Policies of witnesses that the browser reads too (tests/vectors/policies.json)."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from assay.signing.errors import InvalidDocument, VerificationError
from assay.signing.tlog import Policy
from assay.signing.verify import Seen

Json: TypeAlias = Any
GIVEN: Json = json.loads(
    (Path(__file__).parents[1] / "vectors/policies.json").read_text(encoding="ascii")
)


@pytest.mark.parametrize("case", GIVEN["accepted"], ids=lambda each: each["name"])
def test_a_head_that_enough_have_seen(case: Json) -> None:
    found = Policy.parse(case["policy"].encode()).check(case["note"])
    since = Seen.of(found).since
    assert dict(found.seen_at) == case["seen_at"]
    assert (None if since is None else int(since.timestamp())) == case["since"]


@pytest.mark.parametrize("case", GIVEN["refused"], ids=lambda each: each["name"])
def test_a_head_that_too_few_have_seen(case: Json) -> None:
    with pytest.raises(VerificationError) as refused:
        Policy.parse(case["policy"].encode()).check(case["note"])
    assert (refused.value.code, str(refused.value)) == (case["error"], case["says"])


@pytest.mark.parametrize("case", GIVEN["none"])
def test_what_is_no_policy(case: Json) -> None:
    with pytest.raises(InvalidDocument) as refused:
        Policy.parse(b64decode(case["policy"]))
    assert refused.value.field == case["field"]


def test_a_witness_whom_a_browser_cannot_ask_is_asked_here() -> None:
    case = GIVEN["quantum"]
    assert Policy.parse(case["policy"].encode()).check(case["note"]).since == 5
