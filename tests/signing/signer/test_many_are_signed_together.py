# SPDX-License-Identifier: Apache-2.0
"""Many statements in one request: each is signed as it would be alone, or refused alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from assay.signing import timestamps
from assay.signing.certificates import Purpose
from assay.signing.digests import sha256
from assay.signing.errors import InvalidDocument, SignerError
from assay.signing.signer import answers, protocol
from assay.signing.signer.answers import Signed
from assay.signing.signer.audit import EMPTY, Audit
from assay.signing.signer.ceremony import AUDIT_FILE
from assay.signing.signer.client import SignerClient
from assay.signing.signer.errors import (
    AuditUnavailable,
    BadRequest,
    NotCertified,
    SignerUnavailable,
    WrongPurpose,
    WrongStatement,
)
from assay.signing.signer.protocol import MAX_CLAIMS, SignAllRequest, SignRequest
from tests.signing.signer.worlds import (
    ALICE,
    BORN,
    POLICY,
    REGISTRY,
    TIMESTAMPS,
    Clock,
    in_thread,
    open_service,
    output_statement,
)


def claim_of(text: str, subject: str = ALICE) -> SignRequest:
    """What asks for a signature on one output."""
    return SignRequest(
        purpose=Purpose.OUTPUT,
        subject=subject,
        statement=output_statement(text),
        conduct_sha256=POLICY,
    )


def lines_of(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / AUDIT_FILE).read_bytes().splitlines()]


def test_each_is_signed_stamped_and_written_down(client: SignerClient, folder: Path) -> None:
    claims = [claim_of("a"), claim_of("b", f"{REGISTRY}/bob"), claim_of("c")]
    found = client.sign_all(claims)
    root = client.describe().trust_root.root
    for claim, signed in zip(claims, found, strict=True):
        assert isinstance(signed, Signed)
        assert signed.envelope.payload == claim.statement
        signed.envelope.verify(signed.chain.public_key)
        at = timestamps.verify(
            signed.timestamp, data=signed.envelope.signature, root=root, authority=TIMESTAMPS
        )
        assert at == BORN
    lines = lines_of(folder)
    assert [line["statement_sha256"] for line in lines] == [sha256(one.statement) for one in claims]
    assert [line["subject"] for line in lines] == [one.subject for one in claims]
    assert [(line["op"], line["n"]) for line in lines] == [("sign", 1), ("sign", 2), ("sign", 3)]
    Audit.open(folder / AUDIT_FILE, anchor=EMPTY, at=BORN).close()


def test_one_that_is_refused_keeps_none_of_the_others(client: SignerClient, folder: Path) -> None:
    malformed = replace(claim_of("b"), statement=b"{}")
    nobody = claim_of("c", f"{REGISTRY}/charlie")
    first, wrong, uncertified, last = client.sign_all(
        [claim_of("a"), malformed, nobody, claim_of("d")]
    )
    assert isinstance(wrong, WrongStatement)
    assert isinstance(uncertified, NotCertified)
    assert isinstance(first, Signed)
    assert isinstance(last, Signed)
    assert len(lines_of(folder)) == 2


def test_where_all_are_refused_nothing_is_written_down(client: SignerClient, folder: Path) -> None:
    found = client.sign_all([claim_of(each, f"{REGISTRY}/charlie") for each in "ab"])
    assert [type(each) for each in found] == [NotCertified, NotCertified]
    assert lines_of(folder) == []


def test_nothing_is_asked_for_nothing(tmp_path: Path) -> None:
    assert SignerClient(tmp_path / "nobody.sock").sign_all([]) == []


def test_more_than_fit_in_one_request_are_asked_for_in_several(client: SignerClient) -> None:
    found = client.sign_all([claim_of(f"{number}") for number in range(MAX_CLAIMS + 1)])
    assert len([each for each in found if isinstance(each, Signed)]) == MAX_CLAIMS + 1


def test_without_the_lines_of_all_none_is_signed(folder: Path, tmp_path: Path) -> None:
    service = open_service(folder, Clock())
    service._audit.close()
    with in_thread(service, tmp_path / "s.sock"), pytest.raises(AuditUnavailable):
        SignerClient(tmp_path / "s.sock").sign_all([claim_of("a"), claim_of("b")])
    assert lines_of(folder) == []


@pytest.mark.parametrize(
    ("changed", "kind", "said"),
    [
        ({"purpose": "timestamp"}, WrongPurpose, "purpose"),
        ({"claims": [{}] * (MAX_CLAIMS + 1)}, BadRequest, f"claims: expected at most {MAX_CLAIMS}"),
        ({"claims": [{"subject": ALICE}]}, BadRequest, r"claims\[0\]\.statement"),
        ({"claims": [{"purpose": "output"}]}, BadRequest, r"claims\[0\]\.'purpose'"),
        ({"claims": [1]}, BadRequest, r"claims\[0\]"),
        ({"more": 1}, BadRequest, "more"),
    ],
)
def test_a_malformed_request_is_refused(
    changed: dict[str, object], kind: type[SignerError], said: str
) -> None:
    message = json.loads(protocol.request_message(SignAllRequest(claims=(claim_of("a"),))))
    with pytest.raises(kind, match=said):
        protocol.parse_request(json.dumps(message | changed).encode())


def test_what_is_asked_is_what_is_read() -> None:
    request = SignAllRequest(claims=(claim_of("a"), replace(claim_of("b"), salt=bytes(32))))
    assert protocol.parse_request(protocol.request_message(request)) == request


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"chains": [], "signed": []}, "signed: expected 1 of them, found 0"),
        ({"chains": [], "signed": [{"chain": 0}]}, "signature"),
        (
            {"chains": [], "signed": [{"chain": 0, "signature": "AA==", "timestamp": "AA=="}]},
            "chain",
        ),
        ({"chains": [], "signed": [{"chain": 0, "more": 1}]}, "more"),
    ],
)
def test_a_malformed_answer_is_no_signature(answer: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidDocument, match=said):
        answers.read_signed_all(answer, [b"{}"])


def test_a_refusal_of_all_is_raised(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SignerUnavailable):
        SignerClient(tmp_path / "nobody.sock").sign_all([claim_of("a")])
