# SPDX-License-Identifier: Apache-2.0
"""The signer certifies people under pseudonyms that it makes itself, from name and salt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.x509.oid import NameOID

from assay.signing import canonical
from assay.signing.certificates import Purpose
from assay.signing.chains import verify_chain
from assay.signing.pseudonyms import PartyOpening
from assay.signing.signer import protocol
from assay.signing.signer.ceremony import AUDIT_FILE
from assay.signing.signer.client import SignerClient
from assay.signing.signer.errors import BadRequest, NotCertified, WrongStatement
from assay.signing.signer.protocol import CertificateRequest, SignRequest
from tests.signing import world
from tests.signing.signer.worlds import (
    ALICE,
    BORN,
    POLICY,
    REGISTRY,
    Ledger,
    issue,
    output_statement,
    wanted,
)

SALT = b"\x05" * 32
PSEUDONYM = PartyOpening(party=ALICE, salt=SALT).pseudonym(REGISTRY)
STAMPS = wanted(Purpose.TIMESTAMP, "timestamp")
PERSON = replace(wanted(Purpose.CHECKPOINT, "alice"), salt=SALT)
CHECKPOINT = (
    world.checkpoint_claim(REGISTRY, world.manifest_of(world.FILES), run=None)
    .statement()
    .canonical()
)


def test_a_person_signs_under_the_pseudonym_of_name_and_salt(
    client: SignerClient, folder: Path
) -> None:
    before = set(folder.rglob("*.json"))
    issue(client, Ledger(), STAMPS, PERSON)
    signed = client.sign(Purpose.CHECKPOINT, ALICE, CHECKPOINT, POLICY, salt=SALT)
    root, leaf = client.describe().trust_root.root, signed.chain.leaf
    assert verify_chain(signed.chain, root=root, purpose=Purpose.CHECKPOINT, at=BORN) == PSEUDONYM
    (name,) = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert "alice" not in str(name.value)
    kept = [path.read_bytes() for path in set(folder.rglob("*.json")) - before]
    about = (folder / AUDIT_FILE).read_bytes()
    assert all(any(PSEUDONYM.encode() in each for each in some) for some in (kept, [about]))
    assert all(ALICE.encode() not in each for each in (about, *kept))


def test_the_certificate_is_found_by_name_and_salt_together(client: SignerClient) -> None:
    issue(client, Ledger(), STAMPS, PERSON)
    asked = CertificateRequest(
        purpose=Purpose.CHECKPOINT, subject=ALICE, conduct_sha256=POLICY, salt=SALT
    )
    assert client.certificate(asked) is not None
    assert client.certificate(replace(asked, salt=bytes(32))) is None
    with pytest.raises(NotCertified, match=f"expected a certificate of {REGISTRY}/people/"):
        client.sign(Purpose.CHECKPOINT, ALICE, CHECKPOINT, POLICY, salt=bytes(32))


def test_a_pseudonym_signs_for_nobody_else(client: SignerClient) -> None:
    bob = f"{REGISTRY}/bob"
    with pytest.raises(WrongStatement, match=f"expected a statement that {bob} may sign"):
        client.sign(Purpose.CHECKPOINT, bob, CHECKPOINT, POLICY, salt=SALT)


def test_a_pseudonym_is_never_a_subject_itself(client: SignerClient) -> None:
    with pytest.raises(BadRequest, match="expected a person with the salt, found a pseudonym"):
        client.precertify(replace(PERSON, subject=PSEUDONYM, salt=None))
    with pytest.raises(BadRequest, match="expected a person with the salt, found a pseudonym"):
        client.sign(Purpose.OUTPUT, PSEUDONYM, output_statement(), POLICY)


@pytest.mark.parametrize("path", ["alice/tiny", "nodes/alice", "Alice", "a--b", "alice?"])
def test_only_a_name_has_a_pseudonym(client: SignerClient, path: str) -> None:
    with pytest.raises(BadRequest, match=f"subject: expected {REGISTRY}/ and a name, found"):
        client.precertify(replace(PERSON, subject=f"{REGISTRY}/{path}"))


def test_an_office_has_no_pseudonym(client: SignerClient) -> None:
    with pytest.raises(BadRequest, match="salt: expected none for the purpose conduct, found one"):
        client.precertify(replace(wanted(Purpose.CONDUCT, "conduct"), salt=SALT))


def test_a_salt_travels_in_hexadecimal_and_is_never_printed() -> None:
    request = SignRequest(
        purpose=Purpose.OUTPUT, subject=ALICE, statement=b"{}", conduct_sha256=POLICY, salt=SALT
    )
    message = protocol.request_message(request)
    assert protocol.parse_request(message) == request
    assert SALT.hex().encode() in message
    assert SALT.hex() not in repr(request)
    assert repr(SALT) not in repr(request)


def test_a_request_from_before_there_were_pseudonyms_has_no_salt() -> None:
    document = dict(
        canonical.as_mapping(canonical.loads(protocol.request_message(PERSON)), "request")
    )
    del document["salt"]
    assert protocol.parse_request(canonical.dumps(document)) == replace(PERSON, salt=None)


def test_a_salt_has_32_bytes() -> None:
    document = dict(
        canonical.as_mapping(canonical.loads(protocol.request_message(PERSON)), "request")
    )
    with pytest.raises(BadRequest, match="salt: expected 64 lower-case hexadecimal characters"):
        protocol.parse_request(canonical.dumps({**document, "salt": "00" * 31}))
