# SPDX-License-Identifier: Apache-2.0
"""The signer signs a registry's own C2PA claims, by the certificate they name, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from assay.signing.certificates import Chain, Purpose
from assay.signing.cose import P256_BYTES
from assay.signing.digests import sha256
from assay.signing.signer.ceremony import AUDIT_FILE
from assay.signing.signer.claims import SignClaimRequest
from assay.signing.signer.client import SignerClient
from assay.signing.signer.errors import BadRequest, NotCertified, WrongStatement
from tests.signing.claiming import LABEL, cbor, claim, structure
from tests.signing.signer.worlds import ALICE, POLICY, REGISTRY, issue, ledger_of, wanted

ACTIONS = "c2pa.actions.v2"
SALT = bytes(range(32))


@pytest.fixture
def chain(client: SignerClient) -> Chain:
    """Alice's, for C2PA."""
    (made,) = issue(client, ledger_of(client), wanted(Purpose.C2PA, "alice"))
    return made


def asked(message: bytes) -> SignClaimRequest:
    return SignClaimRequest(subject=ALICE, structure=message, conduct_sha256=POLICY)


def test_a_claim_is_signed_as_cose_has_it(client: SignerClient, chain: Chain) -> None:
    message = structure(chain)
    signature = client.sign_claim(asked(message))
    assert len(signature) == 2 * P256_BYTES
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    chain.public_key.verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))


def test_it_is_written_down_first(client: SignerClient, chain: Chain, folder: Path) -> None:
    message = structure(chain)
    client.sign_claim(asked(message))
    lines = [json.loads(line) for line in (folder / AUDIT_FILE).read_bytes().splitlines()]
    (line,) = (each for each in lines if each["op"] == "sign_claim")
    assert line["structure_sha256"] == sha256(message)
    assert line["certificate_serial"] == f"{chain.leaf.serial_number:x}"
    assert (line["purpose"], line["subject"]) == ("c2pa", ALICE)


def test_a_person_claims_under_their_pseudonym(client: SignerClient, folder: Path) -> None:
    request = replace(wanted(Purpose.C2PA, "alice"), salt=SALT)
    (made,) = issue(client, ledger_of(client), request)
    message = structure(made)
    client.sign_claim(replace(asked(message), salt=SALT))
    line = json.loads((folder / AUDIT_FILE).read_bytes().splitlines()[-1])
    assert ALICE not in line["subject"]
    with pytest.raises(NotCertified):
        client.sign_claim(asked(message))


def test_who_has_no_certificate_for_it_claims_nothing(client: SignerClient, chain: Chain) -> None:
    known = asked(structure(chain))
    for other in (
        replace(known, subject=f"{REGISTRY}/bob"),
        replace(known, conduct_sha256="0" * 64),
    ):
        with pytest.raises(NotCertified):
            client.sign_claim(other)
    with pytest.raises(BadRequest, match="subject: expected a URL below"):
        client.sign_claim(replace(asked(structure(chain)), subject="https://other.example/alice"))


def test_a_claim_by_another_certificate_is_refused(client: SignerClient, chain: Chain) -> None:
    (other,) = issue(client, ledger_of(client), wanted(Purpose.C2PA, "bob"))
    with pytest.raises(WrongStatement, match="by the certificate that signs now, found another's"):
        client.sign_claim(asked(structure(other)))


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (claim(ACTIONS, LABEL, generator="Painter"), "that Assay made, found 'Painter'"),
        (claim(ACTIONS), f"with one assertion {LABEL}, found 0"),
        (claim(LABEL, LABEL), f"with one assertion {LABEL}, found 2"),
        ({}, "claim_generator_info: expected a map, found NoneType"),
        ({**claim(LABEL), "created_assertions": 7}, "created_assertions: expected a list"),
        ({**claim(LABEL), "created_assertions": [{"url": 7}]}, "url: expected a text, found int"),
    ],
)
def test_so_is_one_that_is_no_registrys(
    client: SignerClient, chain: Chain, made: dict[str, object], says: str
) -> None:
    with pytest.raises(WrongStatement) as refusal:
        client.sign_claim(asked(structure(chain, made)))
    assert says in str(refusal.value)


HEADER = cbor({1: -7, 33: []})


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (b"DSSEv1 28 application/vnd.in-toto+json 2 {}", "cbor: expected"),
        (cbor({}), "structure: expected 4 parts"),
        (cbor(["Signature1", b"", b""]), "structure: expected 4 parts"),
        (cbor(["Signature", HEADER, b"", b"\xa0"]), "expected Signature1 over nothing else"),
        (cbor(["Signature1", HEADER, b"x", b"\xa0"]), "expected Signature1 over nothing else"),
        (cbor(["Signature1", "x", b"", b"\xa0"]), "protected: expected bytes, found str"),
        (cbor(["Signature1", cbor({1: -8, 33: []}), b"", b"\xa0"]), "expected ES256 and a chain"),
        (
            cbor(["Signature1", cbor({1: -7}), b"", b"\xa0"]),
            "expected ES256 and a chain, found [1]",
        ),
    ],
)
def test_other_bytes_are_not_signed(client: SignerClient, message: bytes, says: str) -> None:
    with pytest.raises(WrongStatement) as refusal:
        client.sign_claim(asked(message))
    assert says in str(refusal.value)
