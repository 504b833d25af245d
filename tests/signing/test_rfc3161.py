# SPDX-License-Identifier: Apache-2.0
"""Timestamps of authorities that are not ours: what proves a time, and every way it does not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from assay.signing import rfc3161, timestamps
from assay.signing.certificates import Purpose
from assay.signing.errors import BadTimestamp, UntrustedChain
from tests.signing.pki import (
    AT,
    CODE_SIGNING,
    PAST,
    TIME_STAMPING,
    Holder,
    authority,
    ec_key,
    issued,
    signer,
    unreadable,
)
from tests.signing.stamps import Stamp
from tests.signing.world import World

ROOT = authority("root")
MIDDLE = authority("middle", ROOT)
LEAF = signer(MIDDLE, purposes=[TIME_STAMPING])
STAMP = Stamp(holder=LEAF, data=b"data", certificates=[LEAF.der, MIDDLE.der])


def verify(response: bytes, data: bytes = b"data") -> rfc3161.Timestamp:
    return rfc3161.verify(response, data=data, anchors=[ROOT.certificate])


def test_a_timestamp_proves_its_time_and_names_its_authority() -> None:
    found = verify(STAMP.response())
    assert (found.at, found.authority) == (AT, LEAF.certificate)


def test_ours_is_one_of_them(world: World) -> None:
    response = world.timestamp(b"data")
    anchors = [world.root.certificate]
    assert rfc3161.verify(response, data=b"data", anchors=anchors).at == AT
    key, chain = world.leaf(Purpose.TIMESTAMP, f"{world.registry}/timestamp")
    refused = timestamps.respond(b"", key=key, chain=chain, at=AT, serial=1)
    with pytest.raises(BadTimestamp):
        rfc3161.verify(refused, data=b"data", anchors=anchors)


@pytest.mark.parametrize(
    "response",
    [
        STAMP.but(imprint_hash="sha384"),
        STAMP.but(imprint_hash="sha512", digest_hash="sha384"),
        STAMP.but(digest_hash="sha512"),
        STAMP.but(status="granted_with_mods"),
        STAMP.but(by_key_identifier=True),
        STAMP.but(names_certificate="signing_certificate"),
        STAMP.but(named_hash="sha384"),
        STAMP.but(at=AT + timedelta(milliseconds=500)),
        STAMP.but(certificates=[LEAF.der, MIDDLE.der, ROOT.der]),
        STAMP.but(digest_hashes=["sha512", "sha256"]),
    ],
)
def test_other_forms_are_as_good(response: bytes) -> None:
    assert verify(response).at - AT < timedelta(seconds=1)


def test_an_authority_with_an_rsa_key_is_as_good() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    leaf = signer(MIDDLE, key=key, purposes=[TIME_STAMPING])
    stamp = Stamp(holder=leaf, data=b"data", certificates=[leaf.der, MIDDLE.der])
    for named in (None, "rsassa_pkcs1v15"):  # with the hash, or by the kind of key alone
        assert verify(stamp.but(signature_algorithm=named)).at == AT
    with pytest.raises(BadTimestamp):
        verify(stamp.but(signed_over=b"another"))
    with pytest.raises(BadTimestamp, match="found 'sha256_ecdsa'"):
        verify(stamp.but(signature_algorithm="sha256_ecdsa"))


CHAIN = [LEAF.certificate, MIDDLE.certificate, ROOT.certificate]


@pytest.mark.parametrize("certificates", [[], None, [LEAF.der, MIDDLE.der]])
@pytest.mark.parametrize("listed", [CHAIN, CHAIN[1:]])
def test_a_listed_authority_stamps_whatever_the_token_holds(
    listed: list[x509.Certificate], certificates: list[bytes] | None
) -> None:
    response = STAMP.but(certificates=certificates)
    if certificates == [] and LEAF.certificate not in listed:
        with pytest.raises(BadTimestamp, match="the timestamp authority's certificate, found none"):
            rfc3161.verify_by(response, data=b"data", chain=listed)
        return
    found = rfc3161.verify_by(response, data=b"data", chain=listed)
    assert (found.at, found.authority) == (AT, LEAF.certificate)


OTHER = signer(MIDDLE, purposes=[TIME_STAMPING])
SIBLING = authority("sibling", ROOT)
BELOW_SIBLING = signer(SIBLING, purposes=[TIME_STAMPING])


@pytest.mark.parametrize(
    ("holder", "brings", "listed"),
    [
        (OTHER, [OTHER, MIDDLE], CHAIN),
        (BELOW_SIBLING, [BELOW_SIBLING, SIBLING], CHAIN),
        (BELOW_SIBLING, [BELOW_SIBLING, SIBLING], CHAIN[1:]),
        (BELOW_SIBLING, [BELOW_SIBLING, SIBLING], CHAIN[2:]),
        (LEAF, [LEAF, MIDDLE], CHAIN[2:]),
    ],
)
def test_an_authority_that_is_not_listed_is_not_trusted_for_its_root(
    holder: Holder, brings: list[Holder], listed: list[x509.Certificate]
) -> None:
    response = STAMP.but(holder=holder, certificates=[each.der for each in brings])
    assert verify(response).at == AT  # though its path to the root is sound
    with pytest.raises((BadTimestamp, UntrustedChain)):
        rfc3161.verify_by(response, data=b"data", chain=listed)


BROKEN = unreadable(signer(MIDDLE, purposes=[TIME_STAMPING]).certificate)


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (b"", "found other bytes"),
        (STAMP.response() + b"\0", "found other bytes"),
        (bytes((64 << 10) + 1), "at most 65536 bytes"),
        (STAMP.but(data=b"Data"), "over these bytes"),
        (STAMP.but(status="rejection"), "found a refusal"),
        (STAMP.but(version="v2"), "found other bytes|TSTInfo of version 1"),
        (STAMP.but(imprint_hash="sha1"), "expected SHA-256, SHA-384 or SHA-512, found 'sha1'"),
        (STAMP.but(content_type="data"), "attributes of this certificate"),
        (STAMP.but(message_digest=bytes(32)), "attributes of this content"),
        (STAMP.but(names_certificate=""), "names its certificate"),
        (STAMP.but(certificates=[MIDDLE.der]), "authority's certificate, found none"),
        (STAMP.but(certificates=[LEAF.der] * 9), "at most 8 certificates"),
        (STAMP.but(signed_over=b"another"), "signature by the timestamp's own certificate"),
        (STAMP.but(signed_version="v2"), "expected the versions"),
        (STAMP.but(signer_version="v3"), "expected the versions"),
        (STAMP.but(by_key_identifier=True, signer_version="v1"), "expected the versions"),
        (STAMP.but(digest_hashes=["sha512"]), "digest among those of the token"),
        (STAMP.but(signature_algorithm="sha384_ecdsa"), "by sha256_ecdsa, found 'sha384_ecdsa'"),
        (STAMP.but(signature_algorithm="sha256_rsa"), "by sha256_ecdsa, found 'sha256_rsa'"),
    ],
)
def test_another_response_is_refused(response: bytes, message: str) -> None:
    with pytest.raises(BadTimestamp, match=message):
        verify(response)


def leaf_of(*purposes: x509.ObjectIdentifier, is_critical: bool = True) -> Holder:
    usage = x509.ExtendedKeyUsage(purposes)
    return issued("leaf", MIDDLE, key=ec_key(), more=[(usage, is_critical)] if purposes else [])


@pytest.mark.parametrize(
    "leaf",
    [
        leaf_of(),
        leaf_of(CODE_SIGNING),
        leaf_of(TIME_STAMPING, CODE_SIGNING),
        leaf_of(TIME_STAMPING, is_critical=False),
    ],
)
def test_a_certificate_for_something_else_is_refused(leaf: Holder) -> None:
    stamp = Stamp(holder=leaf, data=b"data", certificates=[leaf.der, MIDDLE.der])
    with pytest.raises(BadTimestamp, match="expected a certificate for timestamps"):
        verify(stamp.response())


def test_another_certificate_than_the_one_named_is_refused() -> None:
    twin = issued(
        "leaf",
        MIDDLE,
        key=LEAF.key,
        serial=LEAF.certificate.serial_number,
        more=[(x509.ExtendedKeyUsage([TIME_STAMPING]), True)],
    )
    with pytest.raises(BadTimestamp, match="attributes of this certificate"):
        verify(STAMP.but(certificates=[twin.der, MIDDLE.der]))


def test_a_certificate_without_key_identifier_is_not_found_by_one() -> None:
    with pytest.raises(BadTimestamp, match="found none"):
        rfc3161.verify_by(
            STAMP.but(by_key_identifier=True, certificates=[]),
            data=b"data",
            chain=[BROKEN, ROOT.certificate],
        )


def test_bytes_that_are_no_certificate_are_refused() -> None:
    response = STAMP.response()
    der = LEAF.der
    # The version of the certificate, which only this parser looks at, becomes one of the future.
    changed = response.replace(
        der, der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x07", 1)
    )
    with pytest.raises(BadTimestamp, match="well-formed certificates"):
        verify(changed)


def test_a_key_of_another_kind_is_refused() -> None:
    with pytest.raises(BadTimestamp, match="ECDSA or RSA key"):
        rfc3161._check_signature(
            rfc3161._parse(STAMP.response()), ed25519.Ed25519PrivateKey.generate().public_key()
        )


def test_a_strangers_or_an_expired_authority_is_refused() -> None:
    with pytest.raises(UntrustedChain):
        rfc3161.verify(STAMP.response(), data=b"data", anchors=[authority("root").certificate])
    old = signer(MIDDLE, period=PAST, purposes=[TIME_STAMPING])
    stamp = Stamp(holder=old, data=b"data", certificates=[old.der, MIDDLE.der])
    with pytest.raises(UntrustedChain):
        verify(stamp.response())


def test_curves_beyond_ours_are_fine() -> None:
    leaf = signer(MIDDLE, key=ec_key(ec.SECP521R1()), purposes=[TIME_STAMPING])
    stamp = Stamp(holder=leaf, data=b"data", certificates=[leaf.der, MIDDLE.der])
    assert verify(stamp.but(digest_hash="sha512")).at == AT
