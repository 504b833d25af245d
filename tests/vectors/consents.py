# SPDX-License-Identifier: Apache-2.0
"""What a party signed with a key of its own, what commits to it, and what is no consent."""

from __future__ import annotations

from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assay.signing import canonical, keys
from assay.signing.canonical import Obj, instant_text
from assay.signing.envelope import Envelope, sign
from assay.signing.keys import Curve, SoftwareKey
from assay.signing.statements import (
    AcceptanceClaim,
    Consent,
    ConsentClaim,
    Statement,
    party_commitment,
)
from tests.signing.world import AT, REGISTRY, conduct_reference

SALT = bytes(range(32))  # of a worked number: a real one is random
TEXT_SHA256 = "cd" * 32


def consent_claim() -> ConsentClaim:
    """That Alice read a policy, and is bound by it."""
    return ConsentClaim(
        conduct=conduct_reference(),
        text_sha256=TEXT_SHA256,
        party=f"{REGISTRY}/alice",
        agreed_at=AT,
    )


def consent_vectors() -> dict[str, object]:
    """A consent and its commitment; then what a reader refuses, with the error's code."""
    key, claim = SoftwareKey.generate(), consent_claim()
    consent = Consent.by(key, claim)
    acceptance = AcceptanceClaim(
        conduct=claim.conduct,
        commitment=party_commitment(SALT, claim.party),
        accepted_at=AT,
        consent=consent.commitment(SALT),
    )
    return {
        "source": "docs/spec/formats.md, section 2; a throw-away key (tests/vectors/make.py)",
        "party": claim.party,
        "text_sha256": claim.text_sha256,
        "agreed_at": instant_text(claim.agreed_at),
        "consent": consent.to_json(),
        "statement": claim.statement().canonical().decode(),
        "key_sha256": consent.key_sha256,
        "salt": SALT.hex(),
        "acceptance": acceptance.statement().canonical().decode(),
        "refused": [
            {"why": why, "code": code, "consent": one}
            for why, code, one in _refused(key, claim, consent)
        ],
    }


def _refused(key: SoftwareKey, claim: ConsentClaim, consent: Consent) -> list[tuple[str, str, Obj]]:
    other, wide = SoftwareKey.generate(), SoftwareKey.generate(Curve.P384)
    changed = replace(claim, party=f"{REGISTRY}/bob").statement().canonical()
    statement = claim.statement()
    more = replace(statement, predicate={**statement.predicate, "note": "x"})
    untyped = replace(statement, predicate_type="https://assay/acceptance/v1")
    flipped = bytearray(consent.envelope.signature)
    flipped[-1] ^= 1
    good = consent.to_json()

    def signed(one: Statement) -> Obj:
        return replace(consent, envelope=sign(one.canonical(), key)).to_json()

    def enveloped(payload: bytes, signature: bytes) -> Obj:
        return replace(consent, envelope=Envelope(payload=payload, signature=signature)).to_json()

    def keyed(encoded: bytes) -> Obj:
        return {**good, "key": canonical.base64_text(encoded)}

    public = key.public_key
    assert isinstance(public, ec.EllipticCurvePublicKey)
    point = public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    whole = keys.spki(public)
    algorithm = whole[2:23]  # RFC 5480, 2: id-ecPublicKey on prime256v1
    bits = b"\x03" + bytes([len(point) + 1, 0]) + point
    compressed = b"\x30" + bytes([len(algorithm) + len(bits)]) + algorithm + bits
    payload, signature = consent.envelope.payload, consent.envelope.signature
    return [
        ("the key of another", "bad-signature", keyed(keys.spki(other.public_key))),
        ("a key on P-384", "key-unusable", keyed(keys.spki(wide.public_key))),
        ("the key with its point compressed", "key-unusable", keyed(compressed)),
        ("no key", "key-unusable", keyed(b"key")),
        ("another party", "bad-signature", enveloped(changed, signature)),
        ("one bit of the signature changed", "bad-signature", enveloped(payload, bytes(flipped))),
        ("another kind of statement", "invalid-document", signed(untyped)),
        ("a field too many", "invalid-document", signed(more)),
        ("a payload in another form", "invalid-document", _spaced(key, consent)),
    ]


def _spaced(key: SoftwareKey, consent: Consent) -> Obj:
    spaced = consent.envelope.payload.replace(b":", b": ", 1)
    return replace(consent, envelope=sign(spaced, key)).to_json()
