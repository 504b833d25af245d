# SPDX-License-Identifier: Apache-2.0
"""The plain profile: keys and certificates sign, and only what they signed verifies."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from assay.signing.envelope import PAYLOAD_TYPE
from assay.signing.errors import (
    BadEnvelope,
    BadSignature,
    InvalidDocument,
    KeyUnusable,
    UntrustedChain,
    WrongPurpose,
)
from assay.signing.keys import Curve, SoftwareKey
from assay.signing.oms import plain
from assay.signing.oms.document import Document
from assay.signing.oms.manifest import parse
from tests.signing.oms.models import FILES, sign, statement_of
from tests.signing.pki import (
    AT,
    FUTURE,
    PAST,
    TIME_STAMPING,
    Holder,
    Period,
    authority,
    ec_key,
    on_no_known_curve,
    signer,
)
from tests.signing.stamps import Stamp

CURVES = (Curve.P256, Curve.P384, Curve.P521)
ROOT = authority("root")
MIDDLE = authority("middle", ROOT)
STATEMENT = statement_of(FILES)


@pytest.fixture(params=CURVES)
def key(request: pytest.FixtureRequest) -> SoftwareKey:
    return SoftwareKey.generate(request.param)


def public(key: SoftwareKey) -> ec.EllipticCurvePublicKey:
    assert isinstance(key.public_key, ec.EllipticCurvePublicKey)
    return key.public_key


def document(leaf: Holder, *above: Holder) -> Document:
    """Signed with a certificate, whatever it is good for."""
    assert isinstance(leaf.key, ec.EllipticCurvePrivateKey)
    chain = tuple(each.certificate for each in (leaf, *above))
    return sign(STATEMENT, SoftwareKey(private=leaf.key), chain=chain)


def verify(found: Document, *, now: datetime = AT, root: Holder = ROOT) -> plain.Signed:
    return plain.verify_with_certificate(found, anchors=[root.certificate], now=now)


def test_a_key_signs_and_verifies(key: SoftwareKey) -> None:
    manifest = parse(sign(STATEMENT, key).payload)
    found = plain.sign_with_key(manifest, key)
    assert len(found.hint) == 64
    assert plain.verify_with_key(found, public(key)).manifest.digests == manifest.digests


def test_another_key_does_not_verify(key: SoftwareKey) -> None:
    found = sign(STATEMENT, key)
    for curve in CURVES:
        with pytest.raises(BadSignature):
            plain.verify_with_key(found, public(SoftwareKey.generate(curve)))
    with pytest.raises(BadSignature):
        plain.verify_with_key(replace(found, payload=found.payload + b" "), public(key))


def test_a_certificate_signs_and_verifies(key: SoftwareKey) -> None:
    assert isinstance(key.private, ec.EllipticCurvePrivateKey)
    leaf = signer(MIDDLE, key=key.private)
    manifest = parse(sign(STATEMENT, key).payload)
    chain = [MIDDLE.certificate]
    found = plain.sign_with_certificate(manifest, key, leaf=leaf.certificate, chain=chain, at=AT)
    signed = verify(found)
    assert (signed.leaf, signed.at) == (leaf.certificate, AT)
    other = SoftwareKey.generate()
    with pytest.raises(KeyUnusable, match="key of the signing certificate"):
        plain.sign_with_certificate(manifest, other, leaf=leaf.certificate, chain=(), at=AT)


@pytest.mark.parametrize(
    ("leaf", "error"),
    [
        (signer(MIDDLE, period=PAST), UntrustedChain),
        (signer(MIDDLE, period=FUTURE), UntrustedChain),
        (signer(MIDDLE, purposes=()), WrongPurpose),
    ],
)
def test_what_no_verifier_accepts_is_not_signed(leaf: Holder, error: type[Exception]) -> None:
    assert isinstance(leaf.key, ec.EllipticCurvePrivateKey)
    with pytest.raises(error):
        plain.sign_with_certificate(
            parse(document(leaf).payload),
            SoftwareKey(private=leaf.key),
            leaf=leaf.certificate,
            chain=[],
            at=AT,
        )


def test_an_ed25519_key_is_none_of_theirs() -> None:
    key = SoftwareKey.generate(Curve.ED25519)
    with pytest.raises(KeyUnusable, match="P-521 key, found Ed25519"):
        plain.sign_with_key(parse(sign(STATEMENT, key).payload), key)


def test_a_certificate_with_a_key_of_no_known_kind_is_refused() -> None:
    leaf = replace(LEAF, certificate=on_no_known_curve(LEAF.certificate))
    with pytest.raises(UntrustedChain):
        verify(document(leaf, MIDDLE))


LEAF = signer(MIDDLE)


@pytest.mark.parametrize(
    "found",
    [
        document(signer(MIDDLE, is_authority=True), MIDDLE),
        document(LEAF, MIDDLE, ROOT),
        document(signer(ROOT)),
    ],
    ids=["leaf that claims to be an authority", "root in the chain", "no intermediate"],
)
def test_conformance_asks_to_accept(found: Document) -> None:
    assert verify(found).manifest.digests


def test_a_self_signed_leaf_may_be_trusted() -> None:
    leaf = signer(None, is_authority=True)
    assert verify(document(leaf, leaf), root=leaf).leaf == leaf.certificate


@pytest.mark.parametrize(
    ("found", "error"),
    [
        (document(signer(MIDDLE, period=PAST), MIDDLE), UntrustedChain),
        (document(signer(MIDDLE, period=FUTURE), MIDDLE), UntrustedChain),
        (document(LEAF), UntrustedChain),
        (document(signer(authority("else")), MIDDLE), UntrustedChain),
        (document(signer(MIDDLE, purposes=()), MIDDLE), WrongPurpose),
        (document(signer(MIDDLE, purposes=[TIME_STAMPING]), MIDDLE), WrongPurpose),
        (replace(document(LEAF, MIDDLE), payload=b"{}"), BadSignature),
        (sign(STATEMENT, SoftwareKey.generate()), BadEnvelope),
    ],
)
def test_another_certificate_is_refused(found: Document, error: type[Exception]) -> None:
    with pytest.raises(error):
        verify(found)


def test_a_certificate_is_no_key() -> None:
    found = document(LEAF, MIDDLE)
    assert isinstance(LEAF.key, ec.EllipticCurvePrivateKey)
    with pytest.raises(BadEnvelope, match="signed with a key, found one with a certificate"):
        plain.verify_with_key(found, LEAF.key.public_key())


SHORT = Period(start=AT - timedelta(days=1), end=AT + timedelta(days=1))
LATER = AT + timedelta(days=100)


def test_a_timestamp_under_the_same_root_keeps_a_signature_good() -> None:
    found = document(signer(MIDDLE, period=SHORT), MIDDLE)
    with pytest.raises(UntrustedChain):
        verify(found, now=LATER)
    authority_of_time = signer(MIDDLE, purposes=[TIME_STAMPING])
    stamp = Stamp(
        holder=authority_of_time,
        data=found.signature,
        certificates=[authority_of_time.der, MIDDLE.der],
    )
    stamped = replace(found, timestamps=(b"garbage", stamp.response()))
    assert verify(stamped, now=LATER).at == AT
    other = replace(found, timestamps=(stamp.but(data=b"other"),))
    with pytest.raises(UntrustedChain):
        verify(other, now=LATER)
    late = replace(found, timestamps=(stamp.but(at=LATER),))
    with pytest.raises(UntrustedChain):
        verify(late, now=AT)


def test_a_signature_of_the_first_releases_verifies(key: SoftwareKey) -> None:
    """They signed the payload as Python prints bytes, with SHA-256 for whatever curve."""
    value = {
        "_type": "https://in-toto.io/Statement/v1",
        "predicateType": "https://model_signing/Digests/v0.1",
        "subject": [{"name": "é", "digest": {"sha256": "0" * 64}}],
    }
    found = sign(value, key)
    encoded = f"DSSEV1 28 {PAYLOAD_TYPE} {len(found.payload)} {found.payload!r}".encode()
    assert isinstance(key.private, ec.EllipticCurvePrivateKey)
    old = replace(found, signature=key.private.sign(encoded, ec.ECDSA(SHA256())))
    assert plain.verify_with_key(old, public(key)).manifest.digests == {"é": "0" * 64}
    ours = replace(found, signature=key.sign(encoded))
    assert plain.verify_with_key(ours, public(key)).manifest.digests


def test_a_payload_that_is_no_statement_is_refused_though_it_is_signed() -> None:
    key = SoftwareKey.generate()
    with pytest.raises(InvalidDocument):
        plain.verify_with_key(sign({}, key), public(key))


def test_a_leaf_of_another_curve_is_refused() -> None:
    leaf = signer(MIDDLE, key=ec_key(ec.SECP256K1()))
    chain = (leaf.certificate, MIDDLE.certificate)
    found = sign(STATEMENT, SoftwareKey.generate(), chain=chain)
    with pytest.raises((KeyUnusable, UntrustedChain)):
        verify(found)
