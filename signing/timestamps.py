# SPDX-License-Identifier: Apache-2.0
"""RFC 3161 timestamps: asking for one, giving one, and checking one against the pinned root.

The authority's clock and key are the caller's. A response is read into a frozen value in one place
and then built again from it: whatever the signature does not cover could otherwise be changed
without anybody noticing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from asn1crypto import cms, core, tsp
from cryptography.x509 import Certificate

from . import keys, tokens
from .certificates import Chain, Purpose
from .chains import verify_chain
from .errors import BadSignature, BadTimestamp, InvalidDocument, KeyUnusable
from .keys import Curve, Signer
from .tokens import POLICY, Algorithm, Failure, Token

MAX_RESPONSE_BYTES = 64 << 10
KEPT = 64  # as read and as verified: three steps ask what a response says, and outputs share parts
MAX_REQUEST_BYTES = 4 << 10
MAX_NONCE_BITS = 160

# asn1crypto has no types; each structure enters as Any here and leaves as a value of ours.
_TimeStampReq: Any = tsp.TimeStampReq
_TSTInfo: Any = tsp.TSTInfo

# What asn1crypto raises for bytes that are not the structure; it parses fields when asked.
_MALFORMED = (ValueError, TypeError, KeyError, IndexError, OverflowError)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Query:
    """What a request asks for."""

    imprint: bytes
    """The MessageImprint in DER, which the answer repeats."""
    nonce: int | None
    wants_certificates: bool


class _TimeStampResp(core.Sequence):  # type: ignore[misc]  # the base class has no types
    """RFC 3161, 2.4.2; in asn1crypto's own class the token is not optional."""

    _fields = [
        ("status", tsp.PKIStatusInfo),
        ("time_stamp_token", cms.ContentInfo, {"optional": True}),
    ]


_Response: Any = _TimeStampResp


class _Refused(Exception):
    """A request that gets a failure for an answer."""

    def __init__(self, failure: Failure, reason: str) -> None:
        super().__init__(reason)
        self.failure = failure


def request(data: bytes) -> bytes:
    """A TimeStampReq over the SHA-256 of `data` that wants the authority's certificates."""
    return request_over(hashlib.sha256(data).digest(), wants_certificates=True)


def request_over(digest: bytes, *, wants_certificates: bool, nonce: int | None = None) -> bytes:
    """A TimeStampReq over a SHA-256."""
    imprint = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": digest}
    fields: dict[str, Any] = {
        "version": "v1",
        "message_imprint": imprint,
        "cert_req": wants_certificates,
    }
    if nonce is not None:
        fields["nonce"] = nonce
    return bytes(_TimeStampReq(fields).dump())


def refusal(request: bytes) -> bytes | None:
    """The failure for a request that earns no token whoever answers it; None for one that may."""
    try:
        _parse_request(request)
    except _Refused as refused:
        return tokens.rejection(refused.failure, str(refused))
    return None


def respond(request: bytes, *, key: Signer, chain: Chain, at: datetime, serial: int) -> bytes:
    """A TimeStampResp: a token for `at`, or RFC 3161's failure for a request that earns none."""
    try:
        query = _parse_request(request)
    except _Refused as refusal:
        return tokens.rejection(refusal.failure, str(refusal))
    return _answer(query, key=key, chain=chain, at=at, serial=serial)


def stamp(data: bytes, *, key: Signer, chain: Chain, at: datetime, serial: int) -> bytes:
    """What `respond` answers to a `request` over `data`, which is neither written nor read."""
    digest = hashlib.sha256(data).digest()
    imprint = tokens.imprint(Algorithm.SHA256, digest, has_null=True)
    query = _Query(imprint=imprint, nonce=None, wants_certificates=True)
    return _answer(query, key=key, chain=chain, at=at, serial=serial)


def _answer(query: _Query, *, key: Signer, chain: Chain, at: datetime, serial: int) -> bytes:
    if keys.curve_of(key.public_key) is not Curve.P256:
        raise KeyUnusable(f"expected a P-256 key, found {keys.curve_of(key.public_key)}")
    info = tokens.info(imprint=query.imprint, serial=serial, at=at, nonce=query.nonce)
    certificates = chain.to_der()
    attributes = tokens.signed_attributes(info, certificates[0])
    token = Token(
        info=info,
        signed_attributes=attributes,
        signature=key.sign(attributes),
        certificates=certificates if query.wants_certificates else (),
    )
    return tokens.granted(token, chain)


def authority(registry: str) -> str:
    """The URI that a registry's timestamp authority is certified under; it is permanent."""
    return f"{registry}/timestamp"


def verify(response: bytes, *, data: bytes, root: Certificate, authority: str) -> datetime:
    """Check a response over `data` by this authority (a URI) and return the time it proves.

    1. It is a granted response of our form: built again from its parts, it is the same bytes.
    2. Its imprint is the SHA-256 of `data`.
    3. Its signed attributes name this content and this leaf certificate (RFC 5816).
    4. The leaf's key signed them.
    5. The chain holds under `root`, for timestamps, at the time it states (RFC 3161, 2.3).
    6. Its leaf is the authority's: nobody else's is asked what time it is.
    """
    return _verified(response, data, root, authority)


@lru_cache(KEPT)
def _verified(response: bytes, data: bytes, root: Certificate, authority: str) -> datetime:
    token = _parse_response(response)
    found = _chain_of(token)
    _check_whole(token, found, response)  # 1
    at, imprint = _read_info(token.info)
    if imprint != hashlib.sha256(data).digest():  # 2
        raise BadTimestamp("expected a timestamp over these bytes, found one over others")
    if token.signed_attributes != tokens.signed_attributes(token.info, token.certificates[0]):  # 3
        raise BadTimestamp("expected signed attributes for this content and this certificate")
    try:
        keys.verify(found.public_key, token.signature, token.signed_attributes)  # 4
    except BadSignature as error:
        raise BadTimestamp("expected a signature by the timestamp's own certificate") from error
    uri = verify_chain(found, root=root, purpose=Purpose.TIMESTAMP, at=at)  # 5
    if uri != authority:  # 6
        raise BadTimestamp(f"expected a timestamp of {authority}, found one of {uri!a}")
    return at


def chain(response: bytes) -> Chain:
    """The certificates of the authority that answered; nothing is judged here."""
    return _chain_of(_parse_response(response))


def _parse_request(request: bytes) -> _Query:
    if len(request) > MAX_REQUEST_BYTES:
        raise _Refused(Failure.BAD_DATA_FORMAT, f"expected at most {MAX_REQUEST_BYTES} bytes")
    try:
        asked = _TimeStampReq.load(request, strict=True)
        fields: dict[str, Any] = asked.native
        imprint: bytes = asked["message_imprint"].dump()
        digest: bytes = fields["message_imprint"]["hashed_message"]
        name: str = fields["message_imprint"]["hash_algorithm"]["algorithm"]
    except _MALFORMED as error:
        raise _Refused(Failure.BAD_DATA_FORMAT, "expected a TimeStampReq in DER") from error
    if fields["version"] != "v1":
        raise _Refused(Failure.BAD_REQUEST, "expected version 1")
    _check_imprint(imprint, name, digest)
    _check_wishes(fields)
    return _Query(imprint=imprint, nonce=fields["nonce"], wants_certificates=fields["cert_req"])


def _check_imprint(imprint: bytes, name: str, digest: bytes) -> None:
    """The token repeats these bytes (RFC 3161, 2.4.2), so they must be the DER of what they say."""
    try:
        algorithm = Algorithm(name)
    except ValueError as error:
        raise _Refused(Failure.BAD_ALGORITHM, "expected SHA-256, SHA-384 or SHA-512") from error
    if len(digest) != algorithm.digest_bytes:
        expected = f"expected an imprint of {algorithm.digest_bytes} bytes"
        raise _Refused(Failure.BAD_DATA_FORMAT, expected)
    forms = (tokens.imprint(algorithm, digest, has_null=has_null) for has_null in (True, False))
    if imprint not in forms:
        raise _Refused(Failure.BAD_DATA_FORMAT, "expected a hash without parameters, in DER")


def _check_wishes(fields: dict[str, Any]) -> None:
    if fields["req_policy"] not in {None, POLICY}:
        raise _Refused(Failure.UNACCEPTED_POLICY, f"expected policy {POLICY}")
    if fields["extensions"]:
        raise _Refused(Failure.UNACCEPTED_EXTENSION, "expected no extensions")
    if (fields["nonce"] or 0).bit_length() > MAX_NONCE_BITS:
        expected = f"expected a nonce of at most {MAX_NONCE_BITS} bits"
        raise _Refused(Failure.BAD_DATA_FORMAT, expected)


@lru_cache(KEPT)
def _parse_response(der: bytes) -> Token:
    if len(der) > MAX_RESPONSE_BYTES:
        raise BadTimestamp(f"expected at most {MAX_RESPONSE_BYTES} bytes, found {len(der)}")
    try:
        response = _Response.load(der, strict=True)
        status: str = response["status"]["status"].native
        if status != "granted":
            raise BadTimestamp(f"expected a granted timestamp, found the status {status}")
        signed = response["time_stamp_token"]["content"]
        (signer_info,) = signed["signer_infos"]
        serial: int = signer_info["sid"].chosen["serial_number"].native
        found = [choice.chosen for choice in signed["certificates"]]
        return Token(
            info=bytes(signed["encap_content_info"]["content"]),
            signed_attributes=signer_info["signed_attrs"].untag().dump(),
            signature=signer_info["signature"].native,
            # A DER set is sorted by its bytes: put the leaf, whose serial it is, in front.
            certificates=tuple(
                each.dump() for each in sorted(found, key=lambda each: each.serial_number != serial)
            ),
        )
    except _MALFORMED as error:
        raise BadTimestamp("expected a TimeStampResp in DER, found other bytes") from error


def _chain_of(token: Token) -> Chain:
    try:
        return Chain.parse(token.certificates)
    except InvalidDocument as error:
        raise BadTimestamp(str(error)) from error


def _check_whole(token: Token, chain: Chain, response: bytes) -> None:
    if tokens.granted(token, chain) != response:
        raise BadTimestamp("expected a response without unsigned parts, found some")


def _read_info(info: bytes) -> tuple[datetime, bytes]:
    """When, and the SHA-256 of what; every field is under the signature."""
    try:
        fields: dict[str, Any] = _TSTInfo.load(info, strict=True).native
        algorithm: str = fields["message_imprint"]["hash_algorithm"]["algorithm"]
        imprint: bytes = fields["message_imprint"]["hashed_message"]
        at: object = fields["gen_time"]
    except _MALFORMED as error:
        raise BadTimestamp("expected a TSTInfo in DER, found other bytes") from error
    if (fields["version"], fields["policy"], algorithm) != ("v1", POLICY, "sha256"):
        raise BadTimestamp(f"expected version 1, policy {POLICY} and SHA-256, found others")
    if not isinstance(at, datetime) or at.microsecond:
        raise BadTimestamp("expected a time in whole seconds, found another")
    serial, nonce = fields["serial_number"], fields["nonce"]
    written = (
        tokens.info(imprint=each, serial=serial, at=at, nonce=nonce)
        for each in (
            tokens.imprint(Algorithm.SHA256, imprint, has_null=has_null)
            for has_null in (True, False)
        )
    )
    if info not in written:  # an accuracy or a name, say: what it would mean is not checked
        raise BadTimestamp("expected a TSTInfo with the fields of ours, found others")
    return at, imprint
