# SPDX-License-Identifier: Apache-2.0
"""Certificate timestamps: others read ours as we mean them, and none but the log's own count."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.certificate_transparency import LogEntryType, Version
from hypothesis import given
from hypothesis import strategies as st

from assay.signing import canonical, certificates, der, scts
from assay.signing.certificates import Chain, Purpose
from assay.signing.errors import KeyUnusable, NotLogged
from assay.signing.keys import Curve, SoftwareKey
from assay.signing.provenance import Holder
from assay.signing.scts import Sct
from tests.signing import leaves
from tests.signing.forge import Change, forge
from tests.signing.world import AT, World

SECOND = timedelta(seconds=1)
SIGNATURE = SoftwareKey.generate().sign(b"")


def alice(world: World) -> Chain:
    return world.leaf(Purpose.OUTPUT, "http://registry.test/alice")[1]


def judge(world: World, chain: Chain, *, by: datetime = AT) -> datetime:
    log = world.log_key.public_key
    return scts.verify(chain.leaf, issuer=chain.intermediate, log=log, by=by)


def with_values(world: World, *values: bytes) -> Chain:
    """Alice's certificate with other timestamps."""
    chain = alice(world)
    leaf = leaves.stamped(chain.leaf, world.issuers[Purpose.OUTPUT], *values)
    return replace(chain, leaf=leaf)


def test_a_certificate_says_when_it_was_logged(world: World) -> None:
    assert judge(world, alice(world)) == judge(world, alice(world), by=AT + SECOND) == AT


def test_cryptography_reads_and_verifies_ours(world: World) -> None:
    chain = alice(world)
    kind = x509.PrecertificateSignedCertificateTimestamps
    extension = chain.leaf.extensions.get_extension_for_class(kind)
    (sct,) = extension.value
    assert not extension.critical
    assert (sct.version, sct.entry_type) == (Version.v1, LogEntryType.PRE_CERTIFICATE)
    assert sct.timestamp.replace(tzinfo=UTC) == AT
    assert (sct.extension_bytes, sct.signature_hash_algorithm.name) == (b"", "sha256")
    log = world.log_key.public_key
    assert isinstance(log, ec.EllipticCurvePublicKey)
    spki = log.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert sct.log_id == sha256(spki).digest() == scts.log_id(log)
    log.verify(sct.signature, precert_entry(chain), ec.ECDSA(hashes.SHA256()))


def precert_entry(chain: Chain) -> bytes:
    """RFC 6962, 3.2, in the terms of cryptography: what a log signs."""
    issuer = chain.intermediate.public_key()
    spki = issuer.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    body = chain.leaf.tbs_precertificate_bytes
    milliseconds = int(AT.timestamp()) * 1000
    head = b"\x00\x00" + milliseconds.to_bytes(8, "big") + b"\x00\x01" + sha256(spki).digest()
    return head + len(body).to_bytes(3, "big") + body + b"\x00\x00"


def test_a_precertificate_is_the_certificate_but_for_its_poison(world: World) -> None:
    issuer = world.issuers[Purpose.OUTPUT]
    key = SoftwareKey.generate().public_key
    holder = Holder(uri="http://registry.test/alice")
    announced = certificates.precertificate(
        Purpose.OUTPUT, key, holder=holder, issuer=issuer, at=AT
    )
    leaf = leaves.logged(announced, issuer, log=world.log_key, at=AT)
    poison = announced.extensions.get_extension_for_class(x509.PrecertPoison)
    assert poison.critical
    assert (leaf.serial_number, leaf.public_key()) == (announced.serial_number, key)
    assert [each.oid for each in leaf.extensions][:-1] == [
        each.oid for each in announced.extensions
    ][:-1]
    leaf.verify_directly_issued_by(issuer.certificate)


def test_an_entry_is_the_certificate_in_canonical_json(world: World) -> None:
    encoded = alice(world).to_der()[1]
    assert canonical.loads(scts.ledger_entry(encoded)) == {
        "certificate": canonical.base64_text(encoded),
        "type": "https://assay/certificate-entry/v1",
    }


@pytest.mark.parametrize("curve", [Curve.P384, Curve.ED25519])
def test_a_log_has_a_p256_key(world: World, curve: Curve) -> None:
    chain, key = alice(world), SoftwareKey.generate(curve)
    with pytest.raises(KeyUnusable, match=f"expected a P-256 key, found {curve}"):
        scts.make(chain.leaf, issuer=chain.intermediate, key=key, at=AT)


def test_a_certificate_without_a_timestamp_was_not_logged(world: World) -> None:
    with pytest.raises(NotLogged, match="a certificate with a timestamp, found one without"):
        judge(world, with_values(world))


def test_two_lists_of_timestamps_are_refused(world: World) -> None:
    value = leaves.sct_of(alice(world).leaf).value()
    with pytest.raises(NotLogged, match="a certificate with one timestamp, found another"):
        judge(world, with_values(world, value, value))


def odd_values() -> dict[str, bytes]:
    good = Sct(log_id=bytes(32), milliseconds=0, signature=SIGNATURE).value()
    one = good[4:]
    return {
        "none in the list": der.octets(bytes(2)),
        "two in the list": der.octets((2 * len(one)).to_bytes(2, "big") + 2 * one),
        "another hash": good.replace(b"\x04\x03\x00", b"\x05\x03\x00"),
        "extensions": good[:47] + b"\x00\x01" + good[49:],
        "more behind it": good + b"\x00",
        "a short one": good[:-1],
        "an empty one": b"",
        "no octets": b"\x05\x00",
    }


@pytest.mark.parametrize("name", odd_values())
def test_anything_but_one_timestamp_of_version_1_is_refused(name: str) -> None:
    with pytest.raises(NotLogged, match="expected one timestamp of version 1"):
        Sct.parse(odd_values()[name])


def test_another_version_is_refused(world: World) -> None:
    value = bytearray(leaves.sct_of(alice(world).leaf).value())
    value[6] = 1
    with pytest.raises(NotLogged, match="expected"):
        judge(world, with_values(world, bytes(value)))


@given(
    log_id=st.binary(min_size=32, max_size=32),
    milliseconds=st.integers(min_value=0, max_value=2**64 - 1),
    signature=st.binary(min_size=0, max_size=72),
)
def test_a_timestamp_parses_back_to_itself(
    log_id: bytes, milliseconds: int, signature: bytes
) -> None:
    sct = Sct(log_id=log_id, milliseconds=milliseconds, signature=signature)
    assert Sct.parse(sct.value()) == sct


def test_another_logs_timestamp_is_refused(world: World) -> None:
    chain, other = alice(world), SoftwareKey.generate()
    sct = scts.make(chain.leaf, issuer=chain.intermediate, key=other, at=AT)
    with pytest.raises(NotLogged, match="of the pinned log, found one of another log"):
        judge(world, with_values(world, sct.value()))
    renamed = replace(sct, log_id=scts.log_id(world.log_key.public_key))
    with pytest.raises(NotLogged, match="over this certificate, found one over another"):
        judge(world, with_values(world, renamed.value()))


def test_a_timestamp_is_for_one_certificate_of_one_issuer(world: World) -> None:
    chain, key = alice(world), world.log_key
    bob = world.leaf(Purpose.OUTPUT, "http://registry.test/bob")[1]
    with pytest.raises(NotLogged, match="found one over another"):
        judge(world, with_values(world, leaves.sct_of(bob.leaf).value()))
    node = world.issuers[Purpose.NODE].certificate
    sct = scts.make(chain.leaf, issuer=node, key=key, at=AT)
    with pytest.raises(NotLogged, match="found one over another"):
        judge(world, with_values(world, sct.value()))


def test_a_certificate_in_another_form_was_not_logged(world: World) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    chain = alice(world)
    leaf = forge(chain.leaf, world.issuers[Purpose.OUTPUT], Change(public_key=key))
    with pytest.raises(NotLogged, match="a certificate with one timestamp, found another"):
        judge(world, replace(chain, leaf=leaf))


def test_a_time_that_no_calendar_has_is_after_every_use(world: World) -> None:
    sct = replace(leaves.sct_of(alice(world).leaf), milliseconds=(1 << 64) - 1)
    assert sct.at > datetime(9999, 12, 31, tzinfo=UTC)


def test_a_certificate_is_logged_before_it_is_used(world: World) -> None:
    says = "by 2026-11-20T09:29:59Z, found it logged at 2026-11-20T09:30:00Z"
    with pytest.raises(NotLogged, match=says):
        judge(world, alice(world), by=AT - SECOND)


def test_no_bit_of_a_certificate_can_change_under_its_timestamp(world: World) -> None:
    chain = alice(world)
    signed = scts._signed_bytes(chain.leaf, chain.intermediate, 0)
    found: set[bytes] = set()
    body = bytearray(chain.leaf.tbs_certificate_bytes)
    for position in range(100, 400):
        body[position] ^= 1
        try:
            changed = leaves.resigned(bytes(body), world.issuers[Purpose.OUTPUT])
            found.add(scts._signed_bytes(changed, chain.intermediate, 0))
        except ValueError:
            pass  # no certificate any more
        body[position] ^= 1
    assert len(found) > 100
    assert signed not in found
