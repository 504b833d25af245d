# SPDX-License-Identifier: Apache-2.0
"""OCSP answers that the browser's verifier reads too (tests/vectors/answers.json)."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from assay.signing import canonical, keys, ocspstatus
from assay.signing.certificates import load
from assay.signing.errors import VerificationError
from assay.signing.revocation import Status
from tests.vectors.answers import status_json

Json: TypeAlias = Any
GIVEN: Json = json.loads(
    (Path(__file__).parents[1] / "vectors/answers.json").read_text(encoding="ascii")
)


def status(case: Json) -> Status:
    return ocspstatus.status_of(
        load("certificate", b64decode(GIVEN["certificate"])),
        issuer=load("issuer", b64decode(GIVEN["issuer"])),
        response=b64decode(case["response"]),
        log=keys.p256(b64decode(GIVEN["log"])),
        at=canonical.instant({"at": case.get("at", GIVEN["at"])}, "at"),
    )


@pytest.mark.parametrize("case", GIVEN["accepted"], ids=lambda each: each["name"])
def test_what_an_answer_says(case: Json) -> None:
    assert status_json(status(case)) == case["status"]


@pytest.mark.parametrize("case", GIVEN["refused"], ids=lambda each: each["name"])
def test_what_is_no_answer(case: Json) -> None:
    with pytest.raises(VerificationError) as refused:
        status(case)
    assert refused.value.code == case["error"]
    assert case["says"] in str(refused.value)
