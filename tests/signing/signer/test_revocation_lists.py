# SPDX-License-Identifier: Apache-2.0
"""The signer signs whole lists of what was revoked, by the intermediate of a purpose alone."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from assay.signing import canonical, crls, timestamps
from assay.signing.certificates import Purpose
from assay.signing.errors import InvalidDocument, SignerError
from assay.signing.intermediates import Name
from assay.signing.revocation import NotRevoked, Reason, Revocation, Revoked
from assay.signing.signer import answers, protocol
from assay.signing.signer.ceremony import AUDIT_FILE
from assay.signing.signer.client import SignerClient
from assay.signing.signer.errors import (
    BadRequest,
    CertificateNotValid,
    NotCertified,
    StorageUnavailable,
    WrongPurpose,
)
from assay.signing.signer.opening import ROOT_CRL_FILE, SUPERSEDED, TIMESTAMP_FILE
from assay.signing.signer.revocations import SignCrlRequest
from tests.signing.signer.worlds import (
    ALICE,
    BORN,
    POLICY,
    REGISTRY,
    Clock,
    open_service,
    output_statement,
)

PLAIN = Revocation(serial=5, revoked_at=BORN, reason=Reason.SUPERSEDED)
DATED = replace(PLAIN, serial=6, invalid_from=BORN - timedelta(days=1))


def leaf_of(client: SignerClient) -> tuple[x509.Certificate, x509.Certificate]:
    chain = client.sign(Purpose.OUTPUT, ALICE, output_statement(), POLICY).chain
    return chain.leaf, chain.intermediate


def test_a_leaf_is_revoked_by_the_list_of_its_intermediate(client: SignerClient) -> None:
    leaf, intermediate = leaf_of(client)
    before = client.sign_crl(Name(purpose=Purpose.OUTPUT), [PLAIN, DATED])
    mine = replace(DATED, serial=leaf.serial_number)
    after = client.sign_crl(Name(purpose=Purpose.OUTPUT), [PLAIN, mine])
    found = [
        crls.status_of(leaf, issuer=intermediate, lists=[each], at=BORN) for each in (before, after)
    ]
    assert found == [
        NotRevoked(said_at=BORN),
        Revoked(reason=mine.reason, revoked_at=BORN, invalid_from=mine.invalid_from),
    ]


def test_a_revoked_leaf_signs_no_more(client: SignerClient) -> None:
    leaf, _ = leaf_of(client)
    client.sign_crl(Name(purpose=Purpose.OUTPUT), [PLAIN])
    assert leaf_of(client)[0] == leaf
    client.sign_crl(Name(purpose=Purpose.OUTPUT), [replace(PLAIN, serial=leaf.serial_number)])
    with pytest.raises(NotCertified):
        leaf_of(client)


def test_a_revoked_timestamp_authority_stamps_no_more(client: SignerClient, folder: Path) -> None:
    leaf = x509.load_pem_x509_certificate((folder / TIMESTAMP_FILE).read_bytes())
    assert client.timestamp(timestamps.request(b"data"))
    mine = replace(PLAIN, serial=leaf.serial_number)
    client.sign_crl(Name(purpose=Purpose.TIMESTAMP), [mine])
    with pytest.raises(NotCertified):
        client.timestamp(timestamps.request(b"data"))


def test_a_revoked_leaf_that_cannot_be_put_away_is_not_listed(
    client: SignerClient, folder: Path
) -> None:
    leaf, _ = leaf_of(client)
    (folder / "leaves" / SUPERSEDED).write_bytes(b"a file in the way")
    with pytest.raises(StorageUnavailable, match="a revoked leaf cannot be put away"):
        client.sign_crl(Name(purpose=Purpose.OUTPUT), [replace(PLAIN, serial=leaf.serial_number)])


def test_each_list_has_the_number_of_its_audit_line(client: SignerClient, folder: Path) -> None:
    numbers = [number_of(client.sign_crl(Name(purpose=Purpose.NODE), [PLAIN])) for _ in range(2)]
    lines = (folder / AUDIT_FILE).read_text().splitlines()
    assert numbers == [len(lines) - 1, len(lines)]
    assert json.loads(lines[-1])["op"] == "sign_crl"
    assert json.loads(lines[-1])["revocations"] == 1


def number_of(crl: bytes) -> int:
    found = x509.load_der_x509_crl(crl)
    return found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def test_the_root_has_cleared_its_intermediates(client: SignerClient) -> None:
    _, intermediate = leaf_of(client)
    root = client.describe().trust_root.root
    status = crls.status_of(intermediate, issuer=root, lists=[client.root_crl()], at=BORN)
    assert isinstance(status, NotRevoked)


def test_certificates_say_where_the_list_of_their_issuer_is(client: SignerClient) -> None:
    leaf, intermediate = leaf_of(client)
    assert url_in(leaf) == f"{REGISTRY}/authority/crl/output.crl"
    assert url_in(intermediate) == f"{REGISTRY}/authority/crl/root.crl"


def test_certificates_say_where_to_ask(client: SignerClient) -> None:
    leaf, _ = leaf_of(client)
    access = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    (found,) = access
    assert found.access_location.value == f"{REGISTRY}/authority/ocsp/output"


def url_in(certificate: x509.Certificate) -> str:
    points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    (name,) = next(iter(points)).full_name or []
    url: str = name.value
    return url


def test_a_list_that_is_not_there_is_said_to_be_missing(client: SignerClient, folder: Path) -> None:
    (folder / ROOT_CRL_FILE).unlink()
    with pytest.raises(StorageUnavailable, match=r"root\.crl: No such file"):
        client.root_crl()


def test_nothing_is_revoked_in_advance_or_twice(client: SignerClient, folder: Path) -> None:
    lines = (folder / AUDIT_FILE).read_bytes()
    late = replace(PLAIN, revoked_at=BORN + timedelta(seconds=1))
    with pytest.raises(BadRequest, match="revoked_at: expected at most 2026-11-20T09:00:00Z"):
        client.sign_crl(Name(purpose=Purpose.OUTPUT), [PLAIN, late])
    with pytest.raises(BadRequest, match="each serial number once"):
        client.sign_crl(Name(purpose=Purpose.OUTPUT), [PLAIN, PLAIN])
    assert (folder / AUDIT_FILE).read_bytes() == lines


def test_an_expired_intermediate_lists_nothing(client: SignerClient, clock: Clock) -> None:
    clock.now = BORN + timedelta(days=6 * 365)
    with pytest.raises(CertificateNotValid):
        client.sign_crl(Name(purpose=Purpose.OUTPUT), [])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"serial": "5F"}, "serial: expected lower-case hexadecimal"),
        ({"serial": "0"}, "serial: expected lower-case hexadecimal"),
        ({"serial": "f" * 40}, "serial: expected 1 to 159 bits"),
        ({"reason": "hold"}, "reason: expected one of unspecified"),
        ({"revoked_at": "today"}, "revoked_at: expected a time"),
        ({"invalid_from": "2026-11-20T09:00:01Z"}, "invalid_from: expected at most"),
    ],
)
def test_a_revocation_that_is_malformed_is_refused(change: dict[str, str], says: str) -> None:
    assert Revocation.parse(DATED.to_json()) == DATED
    with pytest.raises(InvalidDocument, match=says):
        Revocation.parse({**DATED.to_json(), **change})


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"op": "sign_crl", "issuer": "root", "revocations": []}, BadRequest),
        ({"op": "sign_crl", "issuer": "output-2", "revocations": []}, WrongPurpose),
        ({"op": "sign_crl", "issuer": "output", "revocations": [5]}, BadRequest),
        (
            {
                "op": "sign_crl",
                "issuer": "output",
                "revocations": [{**PLAIN.to_json(), "why": "x"}],
            },
            BadRequest,
        ),
        ({"op": "sign_crl", "issuer": "output"}, BadRequest),
        ({"op": "root_crl", "purpose": "output"}, BadRequest),
    ],
)
def test_a_malformed_request_is_refused(
    folder: Path, document: dict[str, object], kind: type[SignerError]
) -> None:
    service = open_service(folder, Clock())
    good = SignCrlRequest(issuer=Name(purpose=Purpose.OUTPUT), revocations=(PLAIN, DATED))
    assert protocol.parse_request(protocol.request_message(good)) == good
    with pytest.raises(kind):
        answers.read(service.answer(canonical.dumps(document)))
