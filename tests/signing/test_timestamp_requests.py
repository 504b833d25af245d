# SPDX-License-Identifier: Apache-2.0
"""What is asked of the timestamp authority: honoured, or refused by the standard's own failures."""

import hashlib

import pytest
from asn1crypto import tsp

from assay.signing import der, timestamps, tokens
from assay.signing.errors import BadTimestamp
from tests.signing import reference
from tests.signing.test_timestamps import DATA, ask, imprint, info_of, judge, respond, token_of
from tests.signing.world import World


def test_a_nonce_is_asked_for() -> None:
    asked = timestamps.request_over(bytes(32), wants_certificates=False, nonce=7)
    assert tsp.TimeStampReq.load(asked)["nonce"].native == 7


def test_nonce_and_policy_are_echoed(world: World) -> None:
    info = info_of(respond(world, ask(nonce=1 << 63, req_policy=tokens.POLICY)))
    assert (info["nonce"], info["policy"], info["serial_number"]) == (
        1 << 63,
        tokens.POLICY,
        7,
    )


def test_no_certificates_are_sent_to_who_does_not_want_them(world: World) -> None:
    request = tsp.TimeStampReq.load(timestamps.request(DATA))
    request["cert_req"] = False
    response = respond(world, request.dump())
    assert token_of(response)["certificates"].native is None
    with pytest.raises(BadTimestamp, match="found 0 certificates"):
        judge(response, world)


@pytest.mark.parametrize("algorithm", ["sha384", "sha512"])
def test_longer_digests_are_stamped_but_never_ours(world: World, algorithm: str) -> None:
    digest = hashlib.new(algorithm, DATA).digest()
    imprint = {"hash_algorithm": {"algorithm": algorithm}, "hashed_message": digest}
    request = tsp.TimeStampReq({"version": "v1", "message_imprint": imprint, "cert_req": True})
    response = respond(world, request.dump())
    assert info_of(response)["message_imprint"]["hashed_message"] == digest
    with pytest.raises(BadTimestamp, match=r"version 1, policy .* and SHA-256"):
        judge(response, world)


def without_null() -> bytes:
    """A request whose hash has no parameters: RFC 5754 allows both forms."""
    return (
        ask(nonce=5).replace(b"\x05\x00", b"", 1).replace(b"\x30\x31\x30\x0d", b"\x30\x2f\x30\x0b")
    )


def test_the_imprint_comes_back_as_it_was_sent(world: World) -> None:
    for request in (ask(), without_size(without_null())):
        sent = tsp.TimeStampReq.load(request, strict=True)["message_imprint"].dump()
        info = token_of(respond(world, request))["encap_content_info"]["content"].parsed
        assert info["message_imprint"].dump() == sent


def without_size(request: bytes) -> bytes:
    """The same with the outer length that its content has."""
    return bytes((request[0], len(request) - 2)) + request[2:]


SHA256 = der.sequence(der.oid("2.16.840.1.101.3.4.2.1"), der.NULL)
# A length in two bytes where one would do: BER, and signed if it were repeated.
LONG_LENGTH = der.sequence(
    der.integer(1), der.sequence(SHA256, b"\x04\x81\x20" + bytes(32)), der.true()
)


def asking(*wishes: bytes) -> bytes:
    """A request with these elements after its imprint, whatever they are."""
    return der.sequence(der.integer(1), der.sequence(SHA256, der.octets(bytes(32))), *wishes)


EXTENSION = {"extn_id": "1.2.3.4", "critical": False, "extn_value": b"\x05\x00"}


@pytest.mark.parametrize(
    ("request_", "failure"),
    [
        (b"", "bad_data_format"),
        (b"\x30\x03\x02\x01\x01", "bad_data_format"),
        (ask() + b"\x00", "bad_data_format"),
        (ask(message_imprint=imprint("sha256", 31)), "bad_data_format"),
        (ask(nonce=1 << 160), "bad_data_format"),
        (asking(b"\x02\x00"), "bad_data_format"),
        (asking(b"\x02\x02\x00\x05"), "bad_data_format"),
        (asking(b"\x01\x00"), "bad_data_format"),
        (asking(b"\x01\x01\x01"), "bad_data_format"),
        (ask().replace(b"\x05\x00", b"\x04\x00", 1), "bad_data_format"),
        (b"\x00" * 5000, "bad_data_format"),
        (LONG_LENGTH, "bad_data_format"),
        (ask(message_imprint=imprint("sha1", 20)), "bad_alg"),
        (ask(message_imprint=imprint("md5", 16)), "bad_alg"),
        (ask().replace(b"\x02\x01\x01", b"\x02\x01\x02", 1), "bad_request"),
        (ask(req_policy="1.2.3.4"), "unaccepted_policy"),
        (ask(extensions=[EXTENSION]), "unaccepted_extensions"),
    ],
)
def test_a_bad_request_gets_the_standards_failure(
    world: World, request_: bytes, failure: str
) -> None:
    response = respond(world, request_)
    assert timestamps.refusal(request_) == response
    status = reference.Response.load(response)["status"].native
    assert (status["status"], status["fail_info"]) == ("rejection", {failure})
    with pytest.raises(BadTimestamp, match="expected a granted timestamp, found the status rej"):
        judge(response, world)


@pytest.mark.parametrize(
    ("wish", "are_wanted"), [((), False), ((b"\x01\x01\x00",), False), ((der.true(),), True)]
)
def test_a_certificate_is_sent_where_it_is_asked_for(
    world: World, wish: tuple[bytes, ...], *, are_wanted: bool
) -> None:
    token = token_of(respond(world, asking(*wish)))
    assert bool(token["certificates"].native) == are_wanted
