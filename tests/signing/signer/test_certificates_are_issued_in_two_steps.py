# SPDX-License-Identifier: Apache-2.0
"""A certificate is given once the ledger holds its precertificate; it is kept, never dated back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from assay.signing import certificates, scts
from assay.signing.certificates import Chain, Purpose
from assay.signing.chains import verify_chain
from assay.signing.keys import SoftwareKey
from assay.signing.provenance import CONDUCT, ISSUER_V1, ISSUER_V2
from assay.signing.signer import issuing
from assay.signing.signer.ceremony import AUDIT_FILE
from assay.signing.signer.client import SignerClient
from assay.signing.signer.errors import (
    BadRequest,
    CertificateNotValid,
    NotCertified,
    NotIncluded,
)
from assay.signing.signer.keystore import LEAF_DAYS
from assay.signing.signer.protocol import (
    RESPONDER,
    CertificateRequest,
    CertifyRequest,
    PrecertifyRequest,
)
from tests.signing import leaves, world
from tests.signing.signer.worlds import (
    ALICE,
    BORN,
    POLICY,
    REGISTRY,
    Clock,
    Ledger,
    certified,
    in_thread,
    issue,
    open_service,
    output_statement,
    wanted,
)

NODE = f"nodes/{world.NODE}"
STAMPS = wanted(Purpose.TIMESTAMP, "timestamp")
OUTPUTS = wanted(Purpose.OUTPUT, "alice")


def request_of(key: SoftwareKey) -> bytes:
    return certificates.request(key, subject="node")


def announce(client: SignerClient, ledger: Ledger, request: PrecertifyRequest) -> CertifyRequest:
    """A precertificate that the ledger holds, and what asks for its certificate."""
    announced = client.precertify(request)
    before = client.describe().head.size
    ledger.append(scts.ledger_entry(announced))
    size = len(ledger.leaves)
    client.sign_head(size, ledger.root(size), ledger.proof(before, size))
    return certified(announced, ledger, size - 1)


def sign(client: SignerClient) -> Chain:
    return client.sign(Purpose.OUTPUT, ALICE, output_statement(), POLICY).chain


def extension(leaf: x509.Certificate, oid: x509.ObjectIdentifier) -> bytes:
    found = leaf.extensions.get_extension_for_oid(oid)
    assert not found.critical
    assert isinstance(found.value, x509.UnrecognizedExtension)
    return found.value.value


def test_who_is_certified_signs_with_that_certificate(bare: SignerClient) -> None:
    _, chain = issue(bare, Ledger(), STAMPS, OUTPUTS)
    signed = bare.sign(Purpose.OUTPUT, ALICE, output_statement(), POLICY)
    assert signed.chain == chain
    trust = bare.describe().trust_root
    assert verify_chain(chain, root=trust.root, purpose=Purpose.OUTPUT, at=BORN) == ALICE
    at = scts.verify(chain.leaf, issuer=chain.intermediate, log=trust.certificate_log, by=BORN)
    assert at == BORN


def test_a_leaf_says_who_vouches_for_it_and_what_its_holder_accepted(client: SignerClient) -> None:
    leaf = sign(client).leaf
    assert extension(leaf, ISSUER_V1) == REGISTRY.encode()
    assert extension(leaf, ISSUER_V2) == bytes((0x0C, len(REGISTRY))) + REGISTRY.encode()
    assert extension(leaf, CONDUCT).hex() == f"0420{POLICY}"
    assert CONDUCT.dotted_string == "2.25.55496464810101472194271188265311006923.2.1"


def test_an_office_is_under_no_conduct(client: SignerClient) -> None:
    statement = world.conduct_claim().statement().canonical()
    leaf = client.sign(Purpose.CONDUCT, f"{REGISTRY}/conduct", statement).chain.leaf
    assert extension(leaf, ISSUER_V1) == REGISTRY.encode()
    assert CONDUCT not in {each.oid for each in leaf.extensions}


def test_a_precertificate_can_be_used_for_nothing(bare: SignerClient) -> None:
    announced = x509.load_der_x509_certificate(bare.precertify(OUTPUTS))
    assert announced.extensions.get_extension_for_class(x509.PrecertPoison).critical
    with pytest.raises(NotCertified):
        sign(bare)


def test_the_same_request_gives_the_same_certificate(
    bare_folder: Path, tmp_path: Path, clock: Clock
) -> None:
    ledger, given = Ledger(), []
    with in_thread(open_service(bare_folder, clock), tmp_path / "s.sock"):
        client = SignerClient(tmp_path / "s.sock")
        issue(client, ledger, STAMPS)
        request = announce(client, ledger, OUTPUTS)
        given += [client.certify(request), client.certify(request)]
    lines = (bare_folder / AUDIT_FILE).read_bytes()
    clock.now += timedelta(hours=1)
    with in_thread(open_service(bare_folder, clock), tmp_path / "s.sock"):
        client = SignerClient(tmp_path / "s.sock")
        given += [client.certify(request), sign(client)]
    assert len(set(given)) == 1
    assert (bare_folder / AUDIT_FILE).read_bytes().startswith(lines)


def test_every_step_has_its_line(bare: SignerClient, bare_folder: Path) -> None:
    (chain,) = issue(bare, Ledger(), OUTPUTS)
    lines = [json.loads(line) for line in (bare_folder / AUDIT_FILE).read_text().splitlines()]
    assert [line["op"] for line in lines] == ["precertify", "sign_head", "certify"]
    assert [lines[0][name] for name in ("purpose", "subject", "conduct_sha256")] == [
        "output",
        ALICE,
        POLICY,
    ]
    assert lines[2]["certificate_serial"] == f"{chain.leaf.serial_number:x}"
    assert (lines[2]["index"], lines[2]["size"]) == (0, 1)


def test_a_node_is_certified_for_the_key_that_it_holds(bare: SignerClient) -> None:
    key = SoftwareKey.generate()
    (chain,) = issue(bare, Ledger(), wanted(Purpose.NODE, NODE, csr=request_of(key)))
    root = bare.describe().trust_root.root
    assert chain.public_key == key.public_key
    found = verify_chain(chain, root=root, purpose=Purpose.NODE, at=BORN)
    assert found == f"{REGISTRY}/{NODE}"


def test_outputs_may_be_signed_with_a_key_of_ones_own(bare: SignerClient) -> None:
    key, ledger = SoftwareKey.generate(), Ledger()
    own = replace(OUTPUTS, csr=request_of(key))
    (chain,) = issue(bare, ledger, own)
    assert chain.public_key == key.public_key
    root = bare.describe().trust_root.root
    assert verify_chain(chain, root=root, purpose=Purpose.OUTPUT, at=BORN) == ALICE
    # Nothing is signed with it here: what signs in this name has a key and certificate of its own.
    asked = CertificateRequest(
        purpose=OUTPUTS.purpose, subject=OUTPUTS.subject, conduct_sha256=OUTPUTS.conduct_sha256
    )
    assert bare.certificate(asked) is None
    with pytest.raises(NotCertified):
        sign(bare)
    (ours,) = issue(bare, ledger, OUTPUTS)
    assert bare.certificate(asked) == ours.to_der()[0]
    assert ours.public_key != chain.public_key


WRONG_PROOFS: dict[str, Callable[[CertifyRequest], CertifyRequest]] = {
    "an older tree": lambda request: replace(request, size=request.size - 1),
    "a larger tree": lambda request: replace(request, size=request.size + 1),
    "another place": lambda request: replace(request, index=0),
    "no proof": lambda request: replace(request, hashes=()),
    "another proof": lambda request: replace(request, hashes=(bytes(32),)),
    "a place outside": lambda request: replace(request, index=request.size),
}


@pytest.mark.parametrize("change", WRONG_PROOFS)
def test_nothing_is_certified_that_is_not_in_the_tree_signed_last(
    bare: SignerClient, bare_folder: Path, change: str
) -> None:
    ledger = Ledger()
    ledger.append(b"first")
    request = announce(bare, ledger, OUTPUTS)
    lines = (bare_folder / AUDIT_FILE).read_bytes()
    with pytest.raises(NotIncluded, match=r"signed last|is not in the ledger"):
        bare.certify(WRONG_PROOFS[change](request))
    assert (bare_folder / AUDIT_FILE).read_bytes() == lines
    assert bare.certify(request).leaf.serial_number


def test_another_entry_is_no_precertificate(bare: SignerClient) -> None:
    ledger = Ledger()
    ledger.append(b"something else")
    announced = bare.precertify(OUTPUTS)
    bare.sign_head(1, ledger.root(1), ())
    with pytest.raises(NotIncluded, match="the precertificate is not in the ledger: expected the"):
        bare.certify(certified(announced, ledger, 0))


def test_what_was_never_announced_is_not_certified(bare: SignerClient) -> None:
    request = CertifyRequest(precertificate_sha256="ab" * 32, index=0, size=1, hashes=())
    with pytest.raises(BadRequest, match="expected a precertificate made here, found abab"):
        bare.certify(request)


SOMEBODYS = request_of(leaves.SOMEBODY)
REFUSED = {
    "a stranger's name": (replace(OUTPUTS, subject="http://elsewhere/alice"), "a URL below"),
    "an office's for a person": (wanted(Purpose.CONDUCT, "alice"), "authority or http"),
    "a timestamp's for a person": (wanted(Purpose.TIMESTAMP, "alice"), "8000/timestamp, found"),
    "no conduct": (replace(OUTPUTS, conduct_sha256=None), "conduct_sha256: expected one"),
    "conduct for an office": (
        replace(STAMPS, conduct_sha256=POLICY),
        "conduct_sha256: expected no",
    ),
    "somebody's own key for checkpoints": (
        wanted(Purpose.CHECKPOINT, "alice", csr=SOMEBODYS),
        "csr: expected none",
    ),
    "somebody's own key for media": (
        wanted(Purpose.C2PA, "alice", csr=SOMEBODYS),
        "csr: expected none",
    ),
    "no key of a node's": (wanted(Purpose.NODE, NODE), "csr: expected one"),
    "a node without conduct": (
        wanted(Purpose.NODE, NODE, csr=SOMEBODYS, conduct=None),
        "conduct_sha256: expected one",
    ),
    "a key that is none": (wanted(Purpose.NODE, NODE, csr=b"x"), "csr: expected a PKCS#10"),
    "a key that it does not hold": (
        wanted(Purpose.NODE, NODE, csr=SOMEBODYS[:-1] + bytes((SOMEBODYS[-1] ^ 1,))),
        "csr",
    ),
    "a responder of another purpose": (
        wanted(Purpose.OUTPUT, f"{RESPONDER}node"),
        "subject: expected OCSP:output, found OCSP:node",
    ),
    "a responder of nothing": (
        wanted(Purpose.OUTPUT, f"{RESPONDER}x"),
        "subject: issuer: expected",
    ),
    "a responder's own key": (
        replace(wanted(Purpose.OUTPUT, f"{RESPONDER}output"), csr=SOMEBODYS),
        "csr: expected none",
    ),
    **{
        f"{path!a} as a node": (
            wanted(Purpose.NODE, path, csr=SOMEBODYS),
            "subject: expected http://localhost:8000/nodes/ and a UUID",
        )
        for path in ("alice", "conduct", "nodes/", "nodes/1", f"{NODE}/x", f"{NODE}\n")
    },
}


@pytest.mark.parametrize("who", REFUSED)
def test_nobody_else_is_certified(bare: SignerClient, bare_folder: Path, who: str) -> None:
    request, says = REFUSED[who]
    with pytest.raises(BadRequest, match=says):
        bare.precertify(request)
    assert (bare_folder / AUDIT_FILE).read_bytes() == b""
    assert list((bare_folder / issuing.PRECERTIFICATES_FOLDER).iterdir()) == []


def test_the_certificate_that_signs_is_shown(
    bare: SignerClient, bare_folder: Path, clock: Clock
) -> None:
    responder = wanted(Purpose.NODE, f"{RESPONDER}node")
    asked = [
        CertificateRequest(
            purpose=each.purpose, subject=each.subject, conduct_sha256=each.conduct_sha256
        )
        for each in (STAMPS, OUTPUTS, responder)
    ]
    assert [bare.certificate(each) for each in asked] == [None, None, None]
    given = issue(bare, Ledger(), STAMPS, OUTPUTS, responder)
    assert [bare.certificate(each) for each in asked] == [chain.to_der()[0] for chain in given]
    clock.now += timedelta(days=7)
    assert bare.certificate(asked[1]) is None
    with pytest.raises(BadRequest, match="subject: issuer: expected one of"):
        bare.certificate(replace(asked[2], subject=f"{RESPONDER}x"))


def test_the_authorities_are_the_root_and_its_intermediates(client: SignerClient) -> None:
    root, *others = client.authorities()
    found = x509.load_der_x509_certificate(root)
    assert found == client.describe().trust_root.root
    assert len(others) == len(Purpose)
    for each in others:
        x509.load_der_x509_certificate(each).verify_directly_issued_by(found)


def test_each_purpose_has_the_lifetime_of_the_table(client: SignerClient) -> None:
    assert LEAF_DAYS == {
        Purpose.CHECKPOINT: 365,
        Purpose.OUTPUT: 7,
        Purpose.CONDUCT: 365,
        Purpose.NODE: 365,
        Purpose.TIMESTAMP: 1825,
        Purpose.C2PA: 7,
        Purpose.IDENTITY: 10 / (24 * 60),
    }
    leaf = sign(client).leaf
    assert leaf.not_valid_before_utc == BORN
    assert leaf.not_valid_after_utc - BORN == timedelta(days=7)


@pytest.mark.parametrize("later", [timedelta(days=7), timedelta(seconds=-1)])
def test_a_certificate_signs_only_in_its_time(
    client: SignerClient, clock: Clock, later: timedelta
) -> None:
    clock.now = BORN + timedelta(days=6, hours=23)
    assert sign(client).leaf.serial_number
    clock.now = BORN + later
    with pytest.raises(NotCertified):
        sign(client)


def test_a_newer_certificate_takes_an_older_ones_place(client: SignerClient, clock: Clock) -> None:
    ledger, before = Ledger(), sign(client)
    clock.now += timedelta(days=6)
    (chain,) = issue(client, ledger, OUTPUTS)
    assert sign(client) == chain != before


def test_another_conduct_policy_is_another_certificate(client: SignerClient) -> None:
    other = "77" * 32
    (chain,) = issue(client, Ledger(), replace(OUTPUTS, conduct_sha256=other))
    assert extension(chain.leaf, CONDUCT).hex() == f"0420{other}"
    assert sign(client) != chain


@pytest.mark.parametrize("at", [BORN - timedelta(days=1), BORN + timedelta(days=5 * 365)])
def test_nothing_is_certified_outside_the_intermediates_time(
    bare: SignerClient, clock: Clock, at: datetime
) -> None:
    clock.now = at
    with pytest.raises(CertificateNotValid, match="the output intermediate is valid from 2026"):
        bare.precertify(OUTPUTS)
