# SPDX-License-Identifier: Apache-2.0
"""The answers that we write are asn1crypto's, byte for byte, and it reads the same fields back."""

import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest
from asn1crypto import tsp
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.signing import der, timestamps, tokens
from assay.signing.certificates import Chain, Purpose
from assay.signing.tokens import Algorithm, Failure, Frame, Token
from tests.signing import reference
from tests.signing.reference import Asked
from tests.signing.world import AT, World

_Info: Any = tsp.TSTInfo
_Response: Any = tsp.TimeStampResp
WORLD = World.create(at=AT)
TIMESTAMPS = timestamps.authority("http://registry.test")
KEY, CHAIN = WORLD.leaf(Purpose.TIMESTAMP, TIMESTAMPS)
TIMES = st.datetimes(datetime(1950, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants naive bounds
EXAMPLES = settings(max_examples=40)
SERIALS = st.integers(0, (1 << 160) - 1)
REQUESTS = st.builds(
    Asked,
    algorithm=st.sampled_from([each.value for each in Algorithm]),
    digest=st.just(b""),
    nonce=st.none() | st.integers(-(1 << 100), (1 << 160) - 1),
    wants_certificates=st.booleans(),
)


def with_digest(asked: Asked, data: bytes) -> Asked:
    return Asked(
        algorithm=asked.algorithm,
        digest=hashlib.new(asked.algorithm, data).digest(),
        nonce=asked.nonce,
        wants_certificates=asked.wants_certificates,
    )


@EXAMPLES
@given(REQUESTS, st.binary(max_size=8), SERIALS, TIMES)
def test_what_is_signed_is_the_references(
    asked: Asked, data: bytes, serial: int, at: datetime
) -> None:
    asked = with_digest(asked, data)
    imprint = tokens.imprint(Algorithm(asked.algorithm), asked.digest, has_null=True)
    info = tokens.info(imprint=imprint, serial=serial, at=at, nonce=asked.nonce)
    assert info == reference.info(asked, serial=serial, at=at)
    fields = _Info.load(info, strict=True).native
    assert (fields["serial_number"], fields["nonce"]) == (serial, asked.nonce)
    assert fields["gen_time"] == at.replace(microsecond=0)


@EXAMPLES
@given(st.binary(max_size=300), st.binary(max_size=80), st.booleans())
def test_a_token_is_the_references(
    content: bytes, signature: bytes, has_certificates: bool
) -> None:
    ders, info = CHAIN.to_der(), der.sequence(der.octets(content))
    token = Token(
        info=info,
        signed_attributes=tokens.signed_attributes(info, ders[0]),
        signature=signature,
        certificates=ders if has_certificates else (),
    )
    response = tokens.granted(token, CHAIN)
    assert response == reference.granted(token, CHAIN)
    parsed = _Response.load(response, strict=True)["time_stamp_token"]["content"]
    assert parsed["signer_infos"][0]["signature"].native == signature


@pytest.mark.parametrize("failure", list(Failure))
def test_a_failure_is_the_references(failure: Failure) -> None:
    reason = "expected something else — é"
    assert tokens.rejection(failure, reason) == reference.rejection(failure.value, reason)


@EXAMPLES
@given(REQUESTS, SERIALS, TIMES)
def test_an_answer_to_a_whole_request(asked: Asked, serial: int, at: datetime) -> None:
    asked = with_digest(asked, b"data")
    answer = timestamps.respond(reference.query(asked), key=KEY, chain=CHAIN, at=at, serial=serial)
    signed = _Response.load(answer, strict=True)["time_stamp_token"]["content"]
    token = Token(
        info=bytes(signed["encap_content_info"]["content"]),
        signed_attributes=signed["signer_infos"][0]["signed_attrs"].untag().dump(),
        signature=signed["signer_infos"][0]["signature"].native,
        certificates=CHAIN.to_der() if asked.wants_certificates else (),
    )
    assert token.info == reference.info(asked, serial=serial, at=at)
    assert answer == reference.granted(token, CHAIN)


def test_the_reference_answers_as_we_do() -> None:
    asked = with_digest(
        Asked(algorithm="sha256", digest=b"", nonce=None, wants_certificates=True), b"data"
    )
    answer = reference.answer(asked, key=KEY, chain=CHAIN, at=AT, serial=7)
    assert (
        timestamps.verify(answer, data=b"data", root=WORLD.root.certificate, authority=TIMESTAMPS)
        == AT
    )


def test_a_chain_has_the_certificates_of_a_set_in_order() -> None:
    ders = CHAIN.to_der()
    assert Chain.parse(ders) == CHAIN
    forward, backward = (
        Token(info=b"", signed_attributes=b"1", signature=b"", certificates=each)
        for each in (ders, (ders[1], ders[0]))
    )
    assert tokens.granted(forward, CHAIN) == tokens.granted(backward, CHAIN)


@EXAMPLES
@given(REQUESTS, SERIALS)
def test_a_token_is_read_as_the_reference_reads_it(asked: Asked, serial: int) -> None:
    asked = with_digest(asked, b"data")
    answer = timestamps.respond(reference.query(asked), key=KEY, chain=CHAIN, at=AT, serial=serial)
    signed = _Response.load(answer, strict=True)["time_stamp_token"]["content"]
    signer = signed["signer_infos"][0]
    found = timestamps._parse_response(answer)
    assert found == Token(
        info=bytes(signed["encap_content_info"]["content"]),
        signed_attributes=signer["signed_attrs"].untag().dump(),
        signature=signer["signature"].native,
        certificates=CHAIN.to_der() if asked.wants_certificates else (),
    )
    assert {each.chosen.dump() for each in signed["certificates"] or ()} == {*found.certificates}


@EXAMPLES
@given(st.none() | st.integers(-(1 << 100), (1 << 160) - 1), st.booleans())
def test_a_question_is_the_references(nonce: int | None, wants_certificates: bool) -> None:
    digest = hashlib.sha256(b"data").digest()
    asked = Asked(
        algorithm="sha256", digest=digest, nonce=nonce, wants_certificates=wants_certificates
    )
    question = timestamps.request_over(digest, wants_certificates=wants_certificates, nonce=nonce)
    assert question == reference.query(asked)


def test_wishes_in_another_order_are_no_question() -> None:
    imprint = tokens.imprint(Algorithm.SHA256, bytes(32), has_null=True)
    inside = (der.integer(1), imprint, der.integer(5), der.true())
    assert timestamps.refusal(der.sequence(*inside)) is None
    refused = timestamps.refusal(der.sequence(*inside[:2], *reversed(inside[2:])))
    assert refused == tokens.rejection(Failure.BAD_DATA_FORMAT, "expected a TimeStampReq in DER")


def test_what_has_the_same_around_its_parts_is_read_by_that_alone() -> None:
    request = timestamps.request(b"data")
    made = [
        timestamps.respond(request, key=KEY, chain=CHAIN, at=AT, serial=serial)
        for serial in (*range(40), 1 << 80)
    ]
    frames = [Frame.of(timestamps._parse_response(each), CHAIN) for each in made]
    for one, frame in zip(made, frames, strict=True):
        assert frame.parts(one) == timestamps._parse_response(one)
        for other in made:
            assert frame.parts(other) in {None, timestamps._parse_response(other)}
    assert len({*frames}) < len(frames)  # most are of the same lengths
    assert [frames[0].parts(each) for each in (b"", made[0][:-1], made[0] + b"\0")] == [None] * 3
