# SPDX-License-Identifier: Apache-2.0
"""A stopped intermediate signs no more, says still what it revoked, and stays stopped."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from assay.signing import certificates, crls, scts, timestamps
from assay.signing.certificates import Chain, Purpose
from assay.signing.keys import SoftwareKey
from assay.signing.revocation import Reason, Revocation, Revoked
from assay.signing.signer.client import SignerClient
from assay.signing.signer.errors import BadRequest, PurposeStopped, StorageUnavailable
from assay.signing.signer.opening import ROOT_CRL_FILE
from assay.signing.signer.protocol import PrecertifyRequest
from tests.signing.signer.rooting import (
    OUTPUT,
    OUTPUT_2,
    STAMPS,
    root_list,
    root_of,
    rotate,
)
from tests.signing.signer.test_ocsp_answers import asked
from tests.signing.signer.worlds import (
    BORN,
    POLICY,
    REGISTRY,
    Clock,
    certified,
    in_thread,
    issue,
    ledger_of,
    open_service,
    sign_output,
)

NODE = f"{REGISTRY}/nodes/00000000-0000-4000-8000-000000000001"


def sign(client: SignerClient) -> Chain:
    return sign_output(client).chain


def test_it_signs_no_more_and_others_do(client: SignerClient) -> None:
    sign(client)
    client.stop(OUTPUT)
    with pytest.raises(PurposeStopped, match="the output intermediate was stopped"):
        sign(client)
    csr = certificates.request(SoftwareKey.generate(), subject=NODE)
    request = PrecertifyRequest(purpose=Purpose.NODE, subject=NODE, csr=csr, conduct_sha256=POLICY)
    issue(client, ledger_of(client), request)
    announced = client.precertify(request)
    client.stop(replace(OUTPUT, purpose=Purpose.NODE))
    with pytest.raises(PurposeStopped, match="nothing is signed for node"):
        client.precertify(request)
    with pytest.raises(PurposeStopped, match="nothing is signed for node"):
        log(client, announced)


def log(client: SignerClient, announced: bytes) -> None:
    """Have the ledger hold a precertificate, and ask for its certificate."""
    ledger, before = ledger_of(client), client.describe().head.size
    ledger.append(scts.ledger_entry(announced))
    size = len(ledger.leaves)
    client.sign_head(size, ledger.root(size), ledger.proof(before, size))
    client.certify(certified(announced, ledger, size - 1))


def test_it_stays_stopped_after_a_restart(folder: Path, tmp_path: Path, clock: Clock) -> None:
    for turn in range(2):
        with in_thread(open_service(folder, clock), tmp_path / "s.sock"):
            client = SignerClient(tmp_path / "s.sock")
            if turn == 0:
                client.stop(OUTPUT)
            with pytest.raises(PurposeStopped):
                sign(client)


def test_another_intermediate_brings_signing_back(client: SignerClient, folder: Path) -> None:
    client.stop(OUTPUT)
    rotate(client, folder, Purpose.OUTPUT)
    assert sign(client).intermediate == {e.name: e.certificate for e in client.issuers()}[OUTPUT_2]


def test_without_a_timestamp_authority_nothing_is_signed(
    client: SignerClient, folder: Path
) -> None:
    client.stop(STAMPS)
    for ask in (lambda: sign(client), lambda: client.timestamp(timestamps.request(b"data"))):
        with pytest.raises(PurposeStopped, match="the timestamp intermediate"):
            ask()
    rotate(client, folder, Purpose.TIMESTAMP)
    sign(client)


def test_it_still_says_what_it_revoked(client: SignerClient) -> None:
    chain = sign(client)
    client.stop(OUTPUT)
    revocation = Revocation(
        serial=chain.leaf.serial_number, revoked_at=BORN, reason=Reason.KEY_COMPROMISE
    )
    lists = [client.sign_crl(OUTPUT, [revocation])]
    found = crls.status_of(chain.leaf, issuer=chain.intermediate, lists=lists, at=BORN)
    assert isinstance(found, Revoked)
    assert client.sign_ocsp(replace(asked(chain), revocation=revocation))


def test_what_the_root_revoked_is_stopped(
    client: SignerClient, folder: Path, clock: Clock, tmp_path: Path
) -> None:
    chain = sign(client)
    client.install_root_crl(root_list(folder, [chain.intermediate]))
    with pytest.raises(PurposeStopped):
        sign(client)
    root = client.describe().trust_root.root
    lists = [client.root_crl()]
    found = crls.status_of(chain.intermediate, issuer=root, lists=lists, at=BORN)
    assert found == Revoked(reason=Reason.CA_COMPROMISE, revoked_at=BORN, invalid_from=BORN)
    rotate(client, folder, Purpose.OUTPUT)
    sign(client)


def test_it_is_stopped_while_the_mark_cannot_be_stored_or_says_so(
    client: SignerClient, folder: Path
) -> None:
    (folder / "intermediates" / "stopped").write_bytes(b"a file in the way")
    with pytest.raises(StorageUnavailable, match="the mark cannot be stored"):
        client.stop(OUTPUT)


def test_the_roots_list_is_renewed(client: SignerClient, folder: Path, clock: Clock) -> None:
    first = client.root_crl()
    clock.now = BORN + timedelta(days=300)
    client.install_root_crl(root_list(folder, [], at=clock.now))
    root = client.describe().trust_root.root
    numbers = [crls.number_of(crls.read(each, issuer=root)) for each in (first, client.root_crl())]
    assert numbers == [1, 2]


def test_no_list_takes_a_revocation_back_or_a_step_back(client: SignerClient, folder: Path) -> None:
    first = client.root_crl()
    chain = sign(client)
    client.install_root_crl(root_list(folder, [chain.intermediate]))
    root = root_of(folder)
    forgetful = crls.create(
        [],
        issuer=root.certificate,
        key=root.key,
        number=9,
        period=crls.Period(this_update=BORN, next_update=BORN + timedelta(days=1)),
    )
    for der, says in (
        (first, "crl: expected a number above 2, found 1"),
        (forgetful, "expected all that was revoked before, missed"),
        (client.sign_crl(OUTPUT, []), "expected a revocation list signed by its issuer"),
        (b"x", "expected a revocation list of this issuer's"),
        (root_list(folder, [], at=BORN + timedelta(days=1)), "crl: expected one from before"),
    ):
        with pytest.raises(BadRequest, match=says):
            client.install_root_crl(der)


def test_a_list_is_taken_where_none_was(client: SignerClient, folder: Path) -> None:
    (folder / ROOT_CRL_FILE).unlink()
    client.install_root_crl(root_list(folder, []))
    assert client.root_crl() == (folder / ROOT_CRL_FILE).read_bytes()


def test_a_list_that_cannot_be_stored_is_said(client: SignerClient, folder: Path) -> None:
    (folder / ROOT_CRL_FILE).unlink()
    (folder / ROOT_CRL_FILE).mkdir()
    with pytest.raises(StorageUnavailable, match="the list cannot be stored"):
        client.install_root_crl(root_list(folder, []))
