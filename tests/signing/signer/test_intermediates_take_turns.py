# SPDX-License-Identifier: Apache-2.0
"""A new intermediate issues from then on; what the one before it signed stays as it was."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509

from assay.signing import canonical, crls, ocspstatus, timestamps
from assay.signing.certificates import Chain, Purpose
from assay.signing.chains import verify_chain
from assay.signing.errors import SignerError
from assay.signing.intermediates import Name, read_request
from assay.signing.keys import SoftwareKey
from assay.signing.revocation import NotRevoked
from assay.signing.signer import answers
from assay.signing.signer.ceremony import AUDIT_FILE
from assay.signing.signer.client import SignerClient
from assay.signing.signer.errors import BadRequest, StorageUnavailable, WrongPurpose
from assay.signing.signer.protocol import responder_of
from tests.signing.signer.rooting import OUTPUT, OUTPUT_2, STAMPS, certified, rotate
from tests.signing.signer.test_ocsp_answers import asked
from tests.signing.signer.worlds import (
    ALICE,
    BORN,
    PASSPHRASE,
    REGISTRY,
    TIMESTAMPS,
    Clock,
    in_thread,
    open_service,
    see_to,
    sign_output,
    wanted,
)


def chain_of(client: SignerClient) -> Chain:
    return sign_output(client).chain


def names(client: SignerClient) -> dict[str, tuple[bool, bool]]:
    return {str(each.name): (each.is_current, each.is_stopped) for each in client.issuers()}


def test_leaves_come_from_the_new_one_and_the_old_ones_still_verify(
    client: SignerClient, folder: Path
) -> None:
    before = chain_of(client)
    rotate(client, folder, Purpose.OUTPUT)
    after = chain_of(client)
    assert after.intermediate != before.intermediate
    assert Name.of(after.intermediate) == OUTPUT_2
    root = client.describe().trust_root.root
    for chain in (before, after):
        assert verify_chain(chain, root=root, purpose=Purpose.OUTPUT, at=BORN) == ALICE
    found = names(client)
    assert (found["output"], found["output-2"]) == ((False, False), (True, False))


def test_it_survives_a_restart(folder: Path, tmp_path: Path, clock: Clock) -> None:
    serials = set[int]()
    for turn in range(2):
        with in_thread(open_service(folder, clock), tmp_path / "s.sock"):
            client = SignerClient(tmp_path / "s.sock")
            if turn == 0:
                rotate(client, folder, Purpose.OUTPUT)
            serials.add(chain_of(client).leaf.serial_number)
            assert Name.of(chain_of(client).intermediate) == OUTPUT_2
    assert len(serials) == 1


def test_each_has_a_list_and_a_responder_of_its_own(client: SignerClient, folder: Path) -> None:
    before = chain_of(client)
    rotate(client, folder, Purpose.OUTPUT)
    after = chain_of(client)
    for name, chain in ((OUTPUT, before), (OUTPUT_2, after)):
        lists = [client.sign_crl(name, [])]
        said = crls.status_of(chain.leaf, issuer=chain.intermediate, lists=lists, at=BORN)
        see_to(client, wanted(Purpose.OUTPUT, responder_of(name)))
        answer = client.sign_ocsp(replace(asked(chain), issuer=name))
        issuer, log = chain.intermediate, client.describe().trust_root.certificate_log
        told = ocspstatus.status_of(chain.leaf, issuer=issuer, response=answer, log=log, at=BORN)
        assert isinstance(said, NotRevoked)
        assert isinstance(told, NotRevoked)
    points = after.leaf.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    (uri,) = next(iter(points)).full_name or []
    assert uri.value == f"{REGISTRY}/authority/crl/output-2.crl"


def test_the_timestamp_authority_gets_a_new_key_too(client: SignerClient, folder: Path) -> None:
    before = sign_output(client)
    rotate(client, folder, Purpose.TIMESTAMP)
    after = sign_output(client)
    root = client.describe().trust_root.root
    for signed in (before, after):
        data = signed.envelope.signature
        assert (
            timestamps.verify(signed.timestamp, data=data, root=root, authority=TIMESTAMPS) == BORN
        )
    assert names(client)["timestamp-2"] == (True, False)
    assert (folder / "intermediates" / f"{STAMPS.next}" / "leaf.key.pem").exists()


def test_a_request_that_is_asked_for_again_is_for_the_same_key(client: SignerClient) -> None:
    first, second = (
        read_request(client.prepare_intermediate(Purpose.NODE)).public_key for _ in range(2)
    )
    assert first == second
    assert names(client)["node"] == (True, False)


def test_rotation_goes_on(client: SignerClient, folder: Path) -> None:
    for number in (2, 3):
        rotate(client, folder, Purpose.OUTPUT)
        assert Name.of(chain_of(client).intermediate) == replace(OUTPUT, number=number)


def test_what_the_root_did_not_make_for_this_is_not_put_to_use(
    client: SignerClient, folder: Path
) -> None:
    csr = client.prepare_intermediate(Purpose.OUTPUT)
    other = client.prepare_intermediate(Purpose.NODE)
    good = certified(folder, csr)
    first = client.issuers()[0].certificate
    leaf = chain_of(client)
    for der, says in (
        (b"x", "certificate: expected a DER certificate"),
        (leaf.to_der()[0], "subject: expected the name"),
        (leaf.to_der()[1], "expected that of output-2"),
        (good[:-1] + bytes([good[-1] ^ 1]), "one that this registry's root issued"),
    ):
        with pytest.raises(BadRequest, match=says):
            client.install_intermediate(der)
    assert Name.of(chain_of(client).intermediate) == OUTPUT
    client.install_intermediate(good)
    with pytest.raises(
        BadRequest,
        match=r"expected a request for output-3 before it, found the certificate of output-2",
    ):
        client.install_intermediate(good)
    client.install_intermediate(certified(folder, other))
    assert first.issuer == client.issuers()[0].certificate.issuer


def test_a_certificate_for_a_key_that_is_gone_is_refused(
    client: SignerClient, folder: Path
) -> None:
    good = certified(folder, client.prepare_intermediate(Purpose.OUTPUT))
    pending = folder / "intermediates" / ".output-2.pending"
    (pending / "key.pem").unlink()
    with pytest.raises(StorageUnavailable, match="the intermediate cannot be stored: No such"):
        client.install_intermediate(good)
    SoftwareKey.generate().store(pending / "key.pem", PASSPHRASE)
    with pytest.raises(BadRequest, match="one for the key of output-2, found one for another"):
        client.install_intermediate(good)


def test_a_key_that_cannot_be_stored_is_not_asked_about(client: SignerClient, folder: Path) -> None:
    (folder / "intermediates" / ".output-2.pending").write_bytes(b"a file in the way")
    with pytest.raises(StorageUnavailable, match="the new key cannot be stored"):
        client.prepare_intermediate(Purpose.OUTPUT)


def test_each_step_is_written_down(client: SignerClient, folder: Path) -> None:
    rotate(client, folder, Purpose.OUTPUT)
    client.stop(OUTPUT)
    lines = [json.loads(line) for line in (folder / AUDIT_FILE).read_text().splitlines()]
    assert [line["op"] for line in lines] == [
        "prepare_intermediate",
        "install_intermediate",
        "stop",
    ]


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"op": "stop", "issuer": "root"}, BadRequest),
        ({"op": "stop", "issuer": "output-2"}, WrongPurpose),
        ({"op": "stop"}, BadRequest),
        ({"op": "prepare_intermediate", "purpose": "output-2"}, BadRequest),
        ({"op": "install_intermediate", "certificate": 5}, BadRequest),
        ({"op": "install_root_crl", "crl": "eA=="}, BadRequest),
        ({"op": "issuers", "purpose": "output"}, BadRequest),
    ],
)
def test_a_malformed_request_is_refused(
    folder: Path, document: dict[str, object], kind: type[SignerError]
) -> None:
    with pytest.raises(kind):
        answers.read(open_service(folder, Clock()).answer(canonical.dumps(document)))
