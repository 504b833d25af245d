# SPDX-License-Identifier: Apache-2.0
"""What an intermediate revoked stays revoked, whatever the registry asks for later."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as other

from assay.signing import crls, ocspstatus
from assay.signing.certificates import Chain, Purpose
from assay.signing.intermediates import Name
from assay.signing.revocation import Reason, Revocation, Revoked
from assay.signing.signer import rules
from assay.signing.signer.ceremony import AUDIT_FILE
from assay.signing.signer.client import SignerClient
from assay.signing.signer.errors import BadRequest, StorageUnavailable
from assay.signing.signer.revocations import SignOcspRequest
from assay.signing.signer.revoked import LISTS_FOLDER
from tests.signing.signer.worlds import (
    ALICE,
    BORN,
    POLICY,
    Clock,
    in_thread,
    open_service,
    output_statement,
)

OUTPUT = Name(purpose=Purpose.OUTPUT)
PLAIN = Revocation(serial=5, revoked_at=BORN, reason=Reason.KEY_COMPROMISE)
DATED = replace(PLAIN, serial=6, invalid_from=BORN - timedelta(days=9))


def listed(client: SignerClient, revocations: Sequence[Revocation]) -> list[Revocation]:
    crl = client.sign_crl(OUTPUT, revocations)
    return sorted(crls.revocations(x509.load_der_x509_crl(crl)), key=lambda each: each.serial)


def test_what_is_left_out_is_listed_again(client: SignerClient, folder: Path) -> None:
    assert listed(client, [PLAIN]) == [PLAIN]
    assert listed(client, [DATED]) == [PLAIN, DATED]
    assert listed(client, []) == [PLAIN, DATED]
    lines = [json.loads(line) for line in (folder / AUDIT_FILE).read_text().splitlines()]
    assert [(line["revocations"], line["left_out"]) for line in lines] == [(1, 0), (2, 1), (2, 2)]


def test_it_is_remembered_by_the_next_signer(folder: Path, tmp_path: Path) -> None:
    for asked in ([PLAIN, DATED], []):
        with in_thread(open_service(folder, Clock()), tmp_path / "s.sock"):
            assert listed(SignerClient(tmp_path / "s.sock"), asked) == [PLAIN, DATED]


def test_each_intermediate_remembers_its_own(client: SignerClient) -> None:
    listed(client, [PLAIN])
    assert not list(x509.load_der_x509_crl(client.sign_crl(Name(purpose=Purpose.NODE), [])))


def test_a_revocation_is_never_made_milder(client: SignerClient) -> None:
    listed(client, [PLAIN, DATED])
    assert listed(client, [replace(DATED, invalid_from=None)]) == [PLAIN, DATED]
    worse = replace(PLAIN, invalid_from=BORN - timedelta(days=1))
    assert listed(client, [worse]) == [worse, DATED]


def test_ocsp_says_what_the_last_list_does(client: SignerClient) -> None:
    chain = client.sign(Purpose.OUTPUT, ALICE, output_statement(), POLICY).chain
    early = BORN - timedelta(hours=1)
    revocation = replace(PLAIN, serial=chain.leaf.serial_number, revoked_at=early)
    client.sign_crl(OUTPUT, [revocation])
    milder = replace(revocation, revoked_at=BORN)
    found = [answered(client, chain, each) for each in (None, milder, revocation)]
    assert found == [Revoked(reason=PLAIN.reason, revoked_at=early, invalid_from=early)] * 3


def answered(client: SignerClient, chain: Chain, revocation: Revocation | None) -> object:
    builder = other.OCSPRequestBuilder().add_certificate(
        chain.leaf, chain.intermediate, hashes.SHA256()
    )
    request = builder.build().public_bytes(Encoding.DER)
    asked = SignOcspRequest(issuer=OUTPUT, request=request, is_known=True, revocation=revocation)
    response = client.sign_ocsp(asked)
    issuer, log = chain.intermediate, client.describe().trust_root.certificate_log
    return ocspstatus.status_of(chain.leaf, issuer=issuer, response=response, log=log, at=BORN)


def test_a_list_that_cannot_be_kept_is_not_given_out(client: SignerClient, folder: Path) -> None:
    listed(client, [PLAIN])
    kept = folder / LISTS_FOLDER / f"{OUTPUT}.crl"
    good = kept.read_bytes()
    kept.unlink()
    kept.mkdir()
    with pytest.raises(StorageUnavailable, match="no list was given out: it cannot be stored"):
        listed(client, [PLAIN, DATED])
    with pytest.raises(StorageUnavailable, match="the last list of output cannot be read"):
        listed(client, [DATED])
    kept.rmdir()
    kept.write_bytes(good)
    assert listed(client, []) == [PLAIN]


def test_a_list_of_another_issuer_is_not_taken_for_the_last(
    client: SignerClient, folder: Path
) -> None:
    client.sign_crl(Name(purpose=Purpose.NODE), [])
    (folder / LISTS_FOLDER / "node.crl").rename(folder / LISTS_FOLDER / f"{OUTPUT}.crl")
    with pytest.raises(StorageUnavailable, match="the last list of output cannot be read"):
        listed(client, [])


def test_a_list_has_an_end(client: SignerClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAX_REVOCATIONS", 1)
    listed(client, [PLAIN])
    with pytest.raises(BadRequest, match="at most 1 with those listed before, found 2"):
        listed(client, [DATED])
