# SPDX-License-Identifier: Apache-2.0
"""Timestamps: asked for, given, refused, and verified as strictly as OpenSSL does."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import pytest
from asn1crypto import cms, tsp
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.signing import timestamps, tokens
from assay.signing.certificates import Chain, Purpose
from assay.signing.errors import (
    BadTimestamp,
    KeyUnusable,
    UntrustedChain,
    VerificationError,
    WrongPurpose,
)
from assay.signing.keys import Curve, SoftwareKey
from assay.signing.tokens import Token
from tests.signing.forge import Change, forge
from tests.signing.test_judged_once import forget
from tests.signing.world import AT, World

# A flipped bit can make a serial number negative, of which the parser warns before we refuse it.
pytestmark = pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
Asn1: TypeAlias = Any  # asn1crypto has no types
DATA = b"a signature"
PATH = "http://registry.test/timestamp"


def authority(world: World) -> tuple[SoftwareKey, Chain]:
    return world.leaf(Purpose.TIMESTAMP, PATH)


def respond(world: World, request: bytes) -> bytes:
    key, chain = authority(world)
    return timestamps.respond(request, key=key, chain=chain, at=AT, serial=7)


def judge(response: bytes, world: World) -> datetime:
    return timestamps.verify(response, data=DATA, root=world.root.certificate, authority=PATH)


def token_of(response: bytes) -> Asn1:
    return tsp.TimeStampResp.load(response)["time_stamp_token"]["content"]


def info_of(response: bytes) -> dict[str, Any]:
    fields: dict[str, Any] = token_of(response)["encap_content_info"]["content"].parsed.native
    return fields


def test_a_timestamp_proves_its_time(world: World) -> None:
    response = respond(world, timestamps.request(DATA))
    assert timestamps.refusal(timestamps.request(DATA)) is None
    assert judge(response, world) == AT


def test_times_are_whole_seconds(world: World) -> None:
    key, chain = authority(world)
    at = AT + timedelta(microseconds=999_999)
    response = timestamps.respond(timestamps.request(DATA), key=key, chain=chain, at=at, serial=7)
    assert judge(response, world) == AT


def ask(**fields: object) -> bytes:
    imprint = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": bytes(32)}
    asked = {"version": "v1", "message_imprint": imprint, "cert_req": True, **fields}
    return bytes(tsp.TimeStampReq(asked).dump())


def imprint(algorithm: str, size: int) -> dict[str, object]:
    return {"hash_algorithm": {"algorithm": algorithm}, "hashed_message": bytes(size)}


def test_only_a_p_256_key_stamps(world: World) -> None:
    (_, chain), key = authority(world), SoftwareKey.generate(Curve.P384)
    with pytest.raises(KeyUnusable, match="expected a P-256 key, found P-384"):
        timestamps.respond(ask(), key=key, chain=chain, at=AT, serial=7)


def test_a_timestamp_over_other_bytes_is_refused(world: World) -> None:
    response = respond(world, timestamps.request(b"other"))
    with pytest.raises(BadTimestamp, match="over these bytes, found one over others"):
        judge(response, world)


@pytest.mark.parametrize("response", [b"", b"\x30\x00", b"\x30\x03\x02\x01\x00", b"junk"])
def test_bytes_that_are_no_response_are_refused(world: World, response: bytes) -> None:
    with pytest.raises(BadTimestamp, match="expected a TimeStampResp in DER"):
        judge(response, world)


def test_an_endless_response_is_refused(world: World) -> None:
    with pytest.raises(BadTimestamp, match="at most 65536 bytes"):
        judge(bytes(70_000), world)


def test_a_foreign_root_is_refused(world: World) -> None:
    response = respond(world, timestamps.request(DATA))
    with pytest.raises(UntrustedChain, match="a chain to the pinned root"):
        judge(response, World.create(at=AT))


def stamp(
    world: World, key: SoftwareKey, chain: Chain, change: Callable[[Asn1], None] = lambda _: None
) -> bytes:
    """A response by any key, over a TSTInfo that `change` may alter."""
    fields = {
        "version": "v1",
        "policy": tokens.POLICY,
        "message_imprint": {
            "hash_algorithm": {"algorithm": "sha256"},
            "hashed_message": hashlib.sha256(DATA).digest(),
        },
        "serial_number": 1,
        "gen_time": AT,
    }
    info = tsp.TSTInfo(fields)
    change(info)
    return assemble(key, chain, info.dump())


def assemble(
    key: SoftwareKey,
    chain: Chain,
    info: bytes,
    *,
    named: Chain | None = None,
    certificates: int = 2,
) -> bytes:
    """A response over any content, which may name another certificate or lack some."""
    attributes = tokens.signed_attributes(info, (named or chain).to_der()[0])
    token = Token(
        info=info,
        signed_attributes=attributes,
        signature=key.sign(attributes),
        certificates=chain.to_der()[:certificates],
    )
    return tokens.granted(token, chain)


def test_a_signature_by_another_key_is_refused(world: World) -> None:
    _, chain = authority(world)
    response = stamp(world, SoftwareKey.generate(), chain)
    with pytest.raises(BadTimestamp, match="a signature by the timestamp's own certificate"):
        judge(response, world)


def test_a_key_for_another_purpose_stamps_nothing(world: World) -> None:
    key, chain = world.leaf(Purpose.OUTPUT, PATH)
    with pytest.raises(WrongPurpose, match="for timestamp, found it for output"):
        judge(stamp(world, key, chain), world)


@pytest.mark.parametrize(
    "change",
    [
        Change(add=[(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), False)]),
        Change(
            add=[
                (
                    x509.ExtendedKeyUsage(
                        [ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING]
                    ),
                    True,
                )
            ]
        ),
    ],
)
def test_the_extended_key_usage_is_critical_and_alone(world: World, change: Change) -> None:
    key, chain = authority(world)
    forged = replace(chain, leaf=forge(chain.leaf, world.issuers[Purpose.TIMESTAMP], change))
    with pytest.raises(WrongPurpose):
        judge(stamp(world, key, forged), world)


def test_an_authority_that_had_expired_is_refused(world: World) -> None:
    key, chain = authority(world)
    late = chain.leaf.not_valid_after_utc + timedelta(seconds=1)
    response = timestamps.respond(timestamps.request(DATA), key=key, chain=chain, at=late, serial=7)
    with pytest.raises(UntrustedChain, match="the leaf certificate to be valid at"):
        judge(response, world)


def set_field(name: str, value: object) -> Callable[[Asn1], None]:
    def change(info: Asn1) -> None:
        info[name] = value

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (set_field("policy", "1.2.3.4"), "policy"),
        (set_field("version", 2), "version 1"),
        (set_field("gen_time", AT + timedelta(microseconds=500_000)), "whole seconds"),
        (set_field("message_imprint", imprint("sha256", 32)), "over these bytes"),
    ],
)
def test_a_token_that_states_something_else_is_refused(
    world: World, change: Callable[[Asn1], None], says: str
) -> None:
    key, chain = authority(world)
    with pytest.raises(BadTimestamp, match=says):
        judge(stamp(world, key, chain, change), world)


def rebuilt(response: bytes, change: Callable[[Asn1], None]) -> bytes:
    """A response in which something was changed after it was signed."""
    parsed = tsp.TimeStampResp.load(response)
    change(parsed)
    return bytes(parsed.dump(force=True))


def other_status(parsed: Asn1) -> None:
    parsed["status"]["status_string"] = ["fine"]


def other_digests(parsed: Asn1) -> None:
    digests = [{"algorithm": "sha256"}, {"algorithm": "md5"}]
    parsed["time_stamp_token"]["content"]["digest_algorithms"] = digests


def unsigned_attribute(parsed: Asn1) -> None:
    attribute = cms.CMSAttribute({"type": "content_type", "values": ["data"]})
    parsed["time_stamp_token"]["content"]["signer_infos"][0]["unsigned_attrs"] = [attribute]


@pytest.mark.parametrize("change", [other_status, other_digests, unsigned_attribute])
def test_nothing_can_be_added_outside_the_signature(
    world: World, change: Callable[[Asn1], None]
) -> None:
    response = respond(world, timestamps.request(DATA))
    with pytest.raises(BadTimestamp, match="without unsigned parts, found some"):
        judge(rebuilt(response, change), world)


def test_signed_attributes_are_the_standards(world: World) -> None:
    _, chain = authority(world)
    digests = [hashlib.sha256(data).digest() for data in (DATA, chain.to_der()[0])]
    attributes = cms.CMSAttributes(
        [
            {"type": "content_type", "values": ["tst_info"]},
            {"type": "message_digest", "values": [digests[0]]},
            {
                "type": "signing_certificate_v2",
                "values": [{"certs": [{"cert_hash": digests[1]}]}],
            },
        ]
    )
    assert tokens.signed_attributes(DATA, chain.to_der()[0]) == attributes.dump()


def test_signed_attributes_must_name_the_certificate(world: World) -> None:
    key, chain = authority(world)
    _, other = world.leaf(Purpose.TIMESTAMP, PATH + "2")
    response = assemble(key, chain, info_bytes(stamp(world, key, chain)), named=other)
    with pytest.raises(BadTimestamp, match="for this content and this certificate"):
        judge(response, world)


def info_bytes(response: bytes) -> bytes:
    return bytes(token_of(response)["encap_content_info"]["content"])


def test_a_token_needs_leaf_and_intermediate(world: World) -> None:
    key, chain = authority(world)
    response = assemble(key, chain, info_bytes(stamp(world, key, chain)), certificates=1)
    with pytest.raises(BadTimestamp, match="a leaf and an intermediate, found 1 certificates"):
        judge(response, world)


def test_content_that_is_no_tst_info_is_refused(world: World) -> None:
    key, chain = authority(world)
    response = assemble(key, chain, b"\x30\x00")
    with pytest.raises(BadTimestamp, match="expected"):
        judge(response, world)


def test_content_that_cannot_be_written_again_is_refused(world: World) -> None:
    changed = bytearray(respond(world, timestamps.request(DATA)))
    changed[changed.index(info_bytes(bytes(changed))) - 4] ^= 1  # the tag around the content
    with pytest.raises(BadTimestamp, match="without unsigned parts"):
        judge(bytes(changed), world)


def test_a_certificate_whose_names_cannot_be_read_is_refused(world: World) -> None:
    name = b"Assay intermediate: timestamp"
    changed = respond(world, timestamps.request(DATA)).replace(name, b"\xff" + name[1:])
    with pytest.raises(BadTimestamp, match="expected names in UTF-8"):
        judge(changed, world)


WORLD = World.create(at=AT)
RESPONSE = respond(WORLD, timestamps.request(DATA))


@settings(max_examples=300)
@given(st.integers(0, len(RESPONSE) * 8 - 1))
def test_no_flipped_bit_is_accepted(bit: int) -> None:
    changed = bytearray(RESPONSE)
    changed[bit // 8] ^= 1 << (bit % 8)
    with pytest.raises((BadTimestamp, UntrustedChain, WrongPurpose)):
        judge(bytes(changed), WORLD)


def said(response: bytes, world: World) -> object:
    """What comes of judging: a time, or why it is none."""
    try:
        return judge(response, world)
    except VerificationError as error:
        return type(error), str(error)


def several(world: World) -> list[bytes]:
    """Of one authority and two others: with shorter numbers, with longer, and with a nonce."""
    (key, chain), (other, its), (_, stranger) = (authority(world) for _ in range(3))
    asked = timestamps.request(DATA)
    nonce = timestamps.request_over(hashlib.sha256(DATA).digest(), wants_certificates=True, nonce=9)
    made = [
        timestamps.respond(each, key=key, chain=chain, at=AT, serial=serial)
        for each, serial in ((asked, 1), (asked, 2), (asked, 1 << 60), (nonce, 3))
    ]
    made.append(timestamps.respond(asked, key=other, chain=its, at=AT, serial=4))
    made.append(timestamps.respond(asked, key=key, chain=stranger, at=AT, serial=5))
    return [*made, timestamps.stamp(b"others", key=key, chain=chain, at=AT, serial=6)]


WORLD = World.create(at=AT)
SEVERAL = several(WORLD)


@given(st.data())
def test_what_was_verified_before_changes_no_answer(data: st.DataObject) -> None:
    world, made = WORLD, SEVERAL
    forget()
    for each in made:
        said(each, world)
    one, two = (data.draw(st.sampled_from(made)) for _ in range(2))
    start, end = sorted(data.draw(st.integers(0, len(one))) for _ in range(2))
    put = data.draw(
        st.sampled_from([two[start:end], two[start : end + 1], b"", bytes([end % 256])])
    )
    changed = one[:start] + put + one[end:]
    warm = said(changed, world)
    forget()
    assert said(changed, world) == warm


def test_each_byte_counts_after_others_were_verified_too(world: World) -> None:
    _, _, *others = made = several(world)
    warm = [said(each, world) for each in made]
    assert warm[:5] == [AT] * 5
    response = made[1]
    changed = [
        response[:at] + bytes([response[at] ^ 1]) + response[at + 1 :]
        for at in range(len(response))
    ]
    refused = [said(each, world) for each in (*changed, response + b"\0", response[:-1])]
    assert AT not in refused
    forget()
    assert [said(each, world) for each in (*changed, response + b"\0", response[:-1])] == refused
    assert [said(each, world) for each in others] == warm[2:]
