# SPDX-License-Identifier: Apache-2.0
"""The registry is asked once for each answer, waited for, and held to what it was asked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assay.signing.gateway import Content, Notary
from assay.signing.gateway.errors import EvidenceMissing
from assay.signing.statements import Origin
from tests.signing.client.registry import Answer
from tests.signing.gateway.offices import CHECKPOINT, OUTPUT, SIGN, TEXT, Office

CONTENT = Content(text=TEXT, media_type="text/plain")
PATIENCE_SECONDS = 5.0
BUSY = Answer(status=503, body=b"{}")


def notary(office: Office, patience_seconds: float = PATIENCE_SECONDS) -> Notary:
    return Notary(client=office.client, check=office.check, patience_seconds=patience_seconds)


def test_a_busy_registry_is_asked_again_under_the_same_key(office: Office) -> None:
    office.registry.before[SIGN] = [BUSY]
    assert notary(office).evidence(CONTENT, CHECKPOINT)["text"] == TEXT
    first, second = office.registry.seen
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]
    notary(office).evidence(CONTENT, CHECKPOINT)
    assert office.registry.seen[-1].headers["Idempotency-Key"] != first.headers["Idempotency-Key"]


def test_what_is_signed_later_is_waited_for(office: Office) -> None:
    office.is_late = True
    where = ("GET", f"/api/v1/outputs/{OUTPUT}")
    office.registry.before[where] = [Answer(body=json.dumps({"state": "generated"}).encode())]
    assert notary(office).evidence(CONTENT, CHECKPOINT)["state"] == "signed"


def test_but_not_for_ever(office: Office) -> None:
    office.registry.made[SIGN] = lambda _: Answer(
        status=202, body=json.dumps({"id": OUTPUT, "state": "generated"}).encode()
    )
    with pytest.raises(EvidenceMissing, match="found one that is 'generated'"):
        notary(office, 0.1).evidence(CONTENT, CHECKPOINT)


def test_what_failed_is_not_waited_for(office: Office) -> None:
    failed = {"id": OUTPUT, "state": "failed", "failure": {"code": "never-signed"}}
    office.registry.made[SIGN] = lambda _: Answer(status=202, body=json.dumps(failed).encode())
    with pytest.raises(EvidenceMissing, match="'failed'"):
        notary(office, 60).evidence(CONTENT, CHECKPOINT)


@pytest.mark.parametrize("answered", [{}, {"id": "../../admin"}, []], ids=json.dumps)
def test_an_answer_that_names_no_output_is_not_followed(office: Office, answered: object) -> None:
    office.registry.made[SIGN] = lambda _: Answer(body=json.dumps(answered).encode())
    with pytest.raises(EvidenceMissing):
        notary(office).evidence(CONTENT, CHECKPOINT)
    assert len(office.registry.seen) == 1


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"exact_sha256": "1" * 64, "normalised_sha256": "1" * 64}, "expected"),
        ({"claim": Origin.SERVER_GENERATED, "generation": {}}, "caller-asserted"),
        ({"media_type": "image/png"}, "image/png"),
        ({"checkpoint_sha256": "2" * 64}, "checkpoint"),
    ],
    ids=["another text", "a stronger claim", "another type", "another checkpoint"],
)
def test_evidence_of_something_else_is_no_evidence(
    office: Office, changes: dict[str, Any], why: str
) -> None:
    office.changes = changes
    with pytest.raises(EvidenceMissing, match=why):
        notary(office).evidence(CONTENT, CHECKPOINT)


def test_evidence_of_a_stranger_is_none(office: Office) -> None:
    honest = office.sign

    def forged(seen: Any) -> Answer:  # noqa: ANN401 - what was asked
        answer = json.loads(honest(seen).body)
        signature = answer["evidence"]["bundles"]["output"]["dsseEnvelope"]["signatures"][0]
        signature["sig"] = signature["sig"][:-8] + "AAAAAAA="
        return Answer(status=201, body=json.dumps(answer).encode())

    office.registry.made[SIGN] = forged
    with pytest.raises(EvidenceMissing):
        notary(office).evidence(CONTENT, CHECKPOINT)
