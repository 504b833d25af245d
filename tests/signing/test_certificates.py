# SPDX-License-Identifier: Apache-2.0
"""The certificates that the registry issues, and the requests that it answers."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from assay.signing import certificates
from assay.signing.certificates import Chain, Purpose
from assay.signing.errors import InvalidDocument, KeyUnusable, UntrustedChain
from assay.signing.keys import Curve, SoftwareKey
from assay.signing.provenance import ARC
from tests.signing import leaves
from tests.signing.forge import Change, forge
from tests.signing.world import AT, World

ALICE = "http://registry.test/alice"


def test_each_purpose_has_its_permanent_policy() -> None:
    assert [purpose.oid.dotted_string for purpose in Purpose] == [
        f"{ARC}.1.{number}" for number in (1, 2, 3, 4, 5, 6, 7)
    ]
    assert ARC == "2.25.55496464810101472194271188265311006923"


def test_a_leaf_for_c2pa_has_what_its_validators_ask_for(world: World) -> None:
    leaf = world.leaf(Purpose.C2PA, ALICE)[1].leaf
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert [each.dotted_string for each in usage.value] == [
        "1.3.6.1.5.5.7.3.4",
        "1.3.6.1.4.1.62558.2.1",
    ]
    assert not usage.critical
    shown = leaf.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    assert [each.value for each in shown] == [ALICE]
    other = world.leaf(Purpose.OUTPUT, ALICE)[1].leaf
    assert not other.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)


def test_a_leaf_never_outlives_its_issuer(world: World) -> None:
    issuer = world.issuers[Purpose.OUTPUT]
    ends_at = issuer.certificate.not_valid_after_utc
    key = SoftwareKey.generate()
    leaf = leaves.leaf(
        Purpose.OUTPUT,
        key.public_key,
        subject=ALICE,
        issuer=issuer,
        at=ends_at - timedelta(days=1),
    )
    assert leaf.not_valid_after_utc == ends_at


def test_a_long_subject_is_cut_in_the_name_but_not_in_the_uri(world: World) -> None:
    subject = "http://registry.test/" + "a" * 100
    _, chain = world.leaf(Purpose.OUTPUT, subject)
    names = chain.leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [subject]


def test_a_chain_parses_back_from_its_der(world: World) -> None:
    _, chain = world.leaf(Purpose.OUTPUT, ALICE)
    assert Chain.parse(chain.to_der()) == chain
    assert chain.leaf_pem.startswith(b"-----BEGIN CERTIFICATE-----\n")


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_chain_is_a_leaf_and_an_intermediate(world: World, count: int) -> None:
    _, chain = world.leaf(Purpose.OUTPUT, ALICE)
    ders = [*chain.to_der(), chain.to_der()[1]][:count]
    with pytest.raises(InvalidDocument, match=f"a leaf and an intermediate, found {count}"):
        Chain.parse(ders)


@pytest.mark.parametrize("der", [b"", b"\x30\x00", b"certificate"])
def test_bytes_that_are_no_certificate_are_refused(der: bytes) -> None:
    with pytest.raises(InvalidDocument, match="leaf: expected a DER certificate"):
        certificates.load("leaf", der)


def test_a_certificate_with_something_behind_it_is_refused(world: World) -> None:
    der = world.root.certificate.public_bytes(Encoding.DER)
    with pytest.raises(InvalidDocument, match="root: expected a DER certificate"):
        certificates.load("root", der + b"\x00")


def test_a_signature_with_unused_bits_is_refused(world: World) -> None:
    chain = world.leaf(Purpose.OUTPUT, ALICE)[1]
    while chain.leaf.signature[-1] & 1:  # only bits that are zero can be said to be unused
        chain = replace(chain, leaf=forge(chain.leaf, world.issuers[Purpose.OUTPUT], Change()))
    der = bytearray(chain.to_der()[0])
    der[-len(chain.leaf.signature) - 1] = 1
    assert x509.load_der_x509_certificate(bytes(der)).signature == chain.leaf.signature
    with pytest.raises(InvalidDocument, match="leaf: expected a signature of whole bytes"):
        certificates.load("leaf", bytes(der))


def test_a_request_shows_possession_of_its_key() -> None:
    key = SoftwareKey.generate()
    csr = certificates.request(key, subject=ALICE)
    assert certificates.key_of_request(csr) == key.public_key


def test_a_request_that_another_key_signed_is_refused() -> None:
    csr = bytearray(certificates.request(SoftwareKey.generate(), subject=ALICE))
    csr[-1] ^= 1
    with pytest.raises(InvalidDocument, match="a request signed by its own key"):
        certificates.key_of_request(bytes(csr))


def test_a_request_for_another_kind_of_key_is_refused() -> None:
    csr = certificates.request(SoftwareKey.generate(Curve.P384), subject=ALICE)
    with pytest.raises(InvalidDocument, match="csr: expected a P-256 key"):
        certificates.key_of_request(csr)
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    with pytest.raises(InvalidDocument, match="csr: expected a P-256 key"):
        certificates.key_of_request(
            builder.sign(private, hashes.SHA256()).public_bytes(Encoding.DER)
        )


def test_bytes_that_are_no_request_are_refused() -> None:
    with pytest.raises(InvalidDocument, match="csr: expected a PKCS#10 request"):
        certificates.key_of_request(b"\x30\x00")


def test_an_ed25519_key_issues_nothing() -> None:
    with pytest.raises(KeyUnusable, match="expected a key on a NIST curve, found Ed25519"):
        certificates.root(SoftwareKey.generate(Curve.ED25519), name="Root", at=AT)


def test_a_leafs_key_must_be_on_a_known_curve(world: World) -> None:
    _, chain = world.leaf(Purpose.OUTPUT, ALICE)
    p256, unknown = (bytes.fromhex(f"06082a8648ce3d0301{end}") for end in ("07", "77"))
    der = chain.to_der()[0]
    assert p256 in der
    leaf = certificates.load("leaf", der.replace(p256, unknown))
    with pytest.raises(UntrustedChain, match="a leaf with a P-256 key"):
        _ = Chain(leaf=leaf, intermediate=chain.intermediate).public_key


def test_a_leafs_key_must_be_on_p_256(world: World) -> None:
    _, chain = world.leaf(Purpose.OUTPUT, ALICE)
    other = Change(public_key=SoftwareKey.generate(Curve.P384).public_key)
    forged = forge(chain.leaf, world.issuers[Purpose.OUTPUT], other)
    with pytest.raises(UntrustedChain, match="a leaf with a P-256 key"):
        _ = Chain(leaf=forged, intermediate=chain.intermediate).public_key
