# SPDX-License-Identifier: Apache-2.0
"""Trust roots: what is pinned, its fingerprint, and what is not worth pinning."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assay.signing import canonical
from assay.signing.canonical import base64_text
from assay.signing.certificates import Purpose
from assay.signing.digests import sha256
from assay.signing.errors import InvalidDocument
from assay.signing.keys import Curve, SoftwareKey
from assay.signing.trust import Pinned, TrustRoot
from tests.signing.forge import Change, forge
from tests.signing.world import AT, World


def der(certificate: x509.Certificate) -> str:
    return base64_text(certificate.public_bytes(Encoding.DER))


def spki(key: SoftwareKey) -> str:
    return base64_text(key.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


P384 = spki(SoftwareKey.generate(Curve.P384))


def test_a_trust_root_reads_back_and_keeps_its_fingerprint(world: World) -> None:
    trust = world.trust
    read = TrustRoot.parse(canonical.loads(trust.canonical()))
    assert read == trust
    assert read.fingerprint == trust.fingerprint == sha256(trust.canonical())


def test_a_pin_remembers_when_and_from_where(world: World) -> None:
    pin = Pinned(root=world.trust, pinned_at=AT, pinned_from="http://registry.test")
    assert Pinned.parse(canonical.loads(canonical.dumps(pin.to_json()))) == pin


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"type": "https://assay/trust-root/v2"}, "type: expected"),
        ({"registry": "registry.test"}, "registry: expected an http or https URL"),
        ({"registry": "http://registry.test/"}, "registry: expected an http or https URL"),
        ({"registry": "http://registry.test/?a"}, "registry: expected an http or https URL"),
        ({"root": "AAAA"}, "root: expected a certificate in the form of a registry's"),
        ({"ledger": {}}, "ledger.verifier: expected a value"),
        ({"certificate_log": "AAAA"}, "certificate_log: expected a P-256 key in DER"),
        ({"certificate_log": P384}, "certificate_log: expected a P-256 key in DER"),
        ({"pinned": True}, "'pinned': expected no such field"),
    ],
)
def test_another_document_is_no_trust_root(
    world: World, changed: dict[str, object], says: str
) -> None:
    with pytest.raises(InvalidDocument, match=says):
        TrustRoot.parse({**world.trust.to_json(), **changed})


def test_a_trust_root_of_before_certificates_were_logged_says_so(world: World) -> None:
    early = {name: value for name, value in world.trust.to_json().items() if "log" not in name}
    says = "found none: it was made before certificates were logged, and has to be made again"
    with pytest.raises(InvalidDocument, match=says):
        TrustRoot.parse(early)


def test_the_origin_is_that_of_the_verifier_key(world: World) -> None:
    ledger = {"origin": "other.test/ledger", "verifier": world.trust.verifier}
    with pytest.raises(InvalidDocument, match=r"ledger\.origin: expected registry\.test/ledger"):
        TrustRoot.parse({**world.trust.to_json(), "ledger": ledger})


def test_a_certificate_that_is_not_self_signed_is_no_root(world: World) -> None:
    intermediate = world.issuers[Purpose.OUTPUT].certificate
    with pytest.raises(InvalidDocument, match="root: expected a self-signed root certificate"):
        TrustRoot.parse({**world.trust.to_json(), "root": der(intermediate)})


@pytest.mark.parametrize(
    "limits",
    [
        x509.BasicConstraints(ca=False, path_length=None),
        x509.BasicConstraints(ca=True, path_length=None),
        x509.BasicConstraints(ca=True, path_length=2),
    ],
)
def test_a_root_is_an_authority_over_one_level(world: World, limits: x509.BasicConstraints) -> None:
    forged = forge(world.root.certificate, world.root, Change(add=[(limits, True)]))
    with pytest.raises(InvalidDocument, match="root: expected an authority of path length 1"):
        TrustRoot.parse({**world.trust.to_json(), "root": der(forged)})


def test_a_root_without_constraints_is_no_root(world: World) -> None:
    forged = forge(world.root.certificate, world.root, Change(drop=x509.BasicConstraints))
    with pytest.raises(InvalidDocument, match="root: expected a self-signed root certificate"):
        TrustRoot.parse({**world.trust.to_json(), "root": der(forged)})
