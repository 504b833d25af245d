# SPDX-License-Identifier: Apache-2.0
"""The signer answers OCSP for an intermediate, by a key that is certified for that alone."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as other

from assay.signing import certificates, ocspstatus
from assay.signing.certificates import Chain, Purpose
from assay.signing.errors import InvalidDocument
from assay.signing.intermediates import Name
from assay.signing.revocation import Missing, NotRevoked, Reason, Revocation, Revoked
from assay.signing.signer import answers, protocol
from assay.signing.signer.ceremony import AUDIT_FILE
from assay.signing.signer.client import SignerClient
from assay.signing.signer.errors import BadRequest, NotCertified
from assay.signing.signer.revocations import SignOcspRequest
from tests.signing import leaves
from tests.signing.signer.worlds import (
    ALICE,
    BORN,
    POLICY,
    Ledger,
    issue,
    output_statement,
    wanted,
)
from tests.signing.world import NODE


def asked(chain: Chain) -> SignOcspRequest:
    builder = other.OCSPRequestBuilder()
    builder = builder.add_certificate(chain.leaf, chain.intermediate, hashes.SHA256())
    request = builder.build().public_bytes(Encoding.DER)
    issuer = Name(purpose=Purpose.OUTPUT)
    return SignOcspRequest(issuer=issuer, request=request, is_known=True, revocation=None)


@pytest.fixture
def chain(client: SignerClient) -> Chain:
    return client.sign(Purpose.OUTPUT, ALICE, output_statement(), POLICY).chain


def revocation_of(chain: Chain) -> Revocation:
    serial = chain.leaf.serial_number
    return Revocation(serial=serial, revoked_at=BORN, reason=Reason.SUPERSEDED)


def test_what_answers_one_question_is_no_answer_to_another() -> None:
    """Under one name a timestamp would pass for an OCSP answer: both are somebody's signed DER."""
    assert answers.read_ocsp(answers.read(answers.write_ocsp(b"answer"))) == b"answer"
    with pytest.raises(InvalidDocument):
        answers.read_ocsp(answers.read(answers.write_timestamp(b"token")))
    with pytest.raises(InvalidDocument):
        answers.read_timestamp(answers.read(answers.write_ocsp(b"answer")))


def test_good_revoked_and_unknown(client: SignerClient, chain: Chain) -> None:
    good = asked(chain)
    revoked = replace(good, revocation=revocation_of(chain))
    responses = [client.sign_ocsp(each) for each in (good, revoked, replace(good, is_known=False))]
    issuer, log = chain.intermediate, client.describe().trust_root.certificate_log
    found = [
        ocspstatus.status_of(chain.leaf, issuer=issuer, response=each, log=log, at=BORN)
        for each in responses
    ]
    wanted = Revoked(reason=Reason.SUPERSEDED, revoked_at=BORN, invalid_from=BORN)
    assert found == [NotRevoked(said_at=BORN), wanted, Missing()]


def test_one_responder_answers_and_each_answer_is_written_down(
    client: SignerClient, chain: Chain, folder: Path
) -> None:
    responders = {responder_in(client.sign_ocsp(asked(chain))) for _ in range(2)}
    assert len(responders) == 1
    ops = [json.loads(line)["op"] for line in (folder / AUDIT_FILE).read_text().splitlines()]
    assert ops[-2:] == ["sign_ocsp", "sign_ocsp"]


def test_an_intermediate_without_a_responder_answers_nothing(client: SignerClient) -> None:
    key, subject = leaves.SOMEBODY, f"nodes/{NODE}"
    request = wanted(Purpose.NODE, subject, csr=certificates.request(key, subject="node"))
    (chain,) = issue(client, Ledger(), request)
    with pytest.raises(NotCertified, match="a certificate of OCSP:node for node, found none"):
        client.sign_ocsp(replace(asked(chain), issuer=Name(purpose=Purpose.NODE)))


def responder_in(response: bytes) -> x509.Certificate:
    (found,) = other.load_der_ocsp_response(response).certificates
    return found


def test_what_is_not_this_issuers_to_answer_is_refused(client: SignerClient, chain: Chain) -> None:
    good = asked(chain)
    assert protocol.parse_request(protocol.request_message(good)) == good
    stranger = replace(revocation_of(chain), serial=5)
    late = replace(revocation_of(chain), revoked_at=BORN + timedelta(days=1))
    for request, says in (
        (replace(good, issuer=Name(purpose=Purpose.NODE)), "a question to the node intermediate"),
        (replace(good, request=b"x"), "an OCSP request for one certificate"),
        (replace(good, revocation=stranger), "the certificate that was asked about"),
        (replace(good, revocation=late), "revoked_at: expected at most"),
    ):
        with pytest.raises(BadRequest, match=says):
            client.sign_ocsp(request)
