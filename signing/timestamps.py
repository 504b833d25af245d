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
from enum import StrEnum
from typing import Any

from asn1crypto import cms, core, tsp
from cryptography.x509 import Certificate

from . import keys
from .certificates import Chain, Purpose, verify_chain
from .errors import BadSignature, BadTimestamp, InvalidDocument, KeyUnusable
from .keys import Curve, Signer

MAX_RESPONSE_BYTES = 64 << 10
MAX_REQUEST_BYTES = 4 << 10
MAX_NONCE_BITS = 160
POLICY = Purpose.TIMESTAMP.oid.dotted_string
IMPRINT_BYTES = {"sha256": 32, "sha384": 48, "sha512": 64}

# The signed attributes (RFC 5652, 5.4 and 11; RFC 5816) before and between their two digests. DER
# leaves no choice in them, and asn1crypto needs longer to write them than a verification takes.
_CONTENT_TYPE = bytes.fromhex("318186 301a 06092a864886f70d010903 310d 060b2a864886f70d0109100104")
_MESSAGE_DIGEST = bytes.fromhex("302f 06092a864886f70d010904 3122 0420")
_SIGNING_CERTIFICATE_V2 = bytes.fromhex("3037 060b2a864886f70d010910022f 31283026302430220420")

# asn1crypto has no types; each structure enters as Any here and leaves as a value of ours.
_TimeStampReq: Any = tsp.TimeStampReq
_OctetString: Any = core.ParsableOctetString
_TSTInfo: Any = tsp.TSTInfo
_SignedData: Any = cms.SignedData
_CMSAttributes: Any = cms.CMSAttributes
_Certificate: Any = cms.Certificate

# What asn1crypto raises for bytes that are not the structure; it parses fields when asked.
_MALFORMED = (ValueError, TypeError, KeyError, IndexError, OverflowError)


class Failure(StrEnum):
    """RFC 3161, 2.4.2: why no timestamp was given, in asn1crypto's names."""

    BAD_ALGORITHM = "bad_alg"
    BAD_REQUEST = "bad_request"
    BAD_DATA_FORMAT = "bad_data_format"
    UNACCEPTED_POLICY = "unaccepted_policy"
    UNACCEPTED_EXTENSION = "unaccepted_extensions"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Query:
    """What a request asks for."""

    algorithm: str
    imprint: bytes
    nonce: int | None
    wants_certificates: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    """The parts of a granted response that decide."""

    info: bytes
    """The TSTInfo: what is signed."""
    signed_attributes: bytes
    signature: bytes
    certificates: tuple[bytes, ...]


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
    digest = hashlib.sha256(data).digest()
    imprint = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": digest}
    fields = {"version": "v1", "message_imprint": imprint, "cert_req": True}
    return bytes(_TimeStampReq(fields).dump())


def respond(request: bytes, *, key: Signer, chain: Chain, at: datetime, serial: int) -> bytes:
    """A TimeStampResp: a token for `at`, or RFC 3161's failure for a request that earns none."""
    if keys.curve_of(key.public_key) is not Curve.P256:
        raise KeyUnusable(f"expected a P-256 key, found {keys.curve_of(key.public_key)}")
    try:
        query = _parse_request(request)
    except _Refused as refusal:
        return _rejection(refusal)
    info = _info(query, at, serial)
    attributes = _signed_attributes(info, chain)
    token = _Token(
        info=info,
        signed_attributes=attributes,
        signature=key.sign(attributes),
        certificates=chain.to_der() if query.wants_certificates else (),
    )
    return _assemble(token, chain)


def verify(response: bytes, *, data: bytes, root: Certificate) -> datetime:
    """Check a response over `data` and return the time it proves.

    1. It is a granted response of our form: built again from its parts, it is the same bytes.
    2. Its imprint is the SHA-256 of `data`.
    3. Its signed attributes name this content and this leaf certificate (RFC 5816).
    4. The leaf's key signed them.
    5. The chain holds under `root`, for timestamps, at the time it states (RFC 3161, 2.3).
    """
    token = _parse_response(response)
    chain = _chain_of(token)
    _check_whole(token, chain, response)  # 1
    at, imprint = _read_info(token.info)
    if imprint != hashlib.sha256(data).digest():  # 2
        raise BadTimestamp("expected a timestamp over these bytes, found one over others")
    if token.signed_attributes != _signed_attributes(token.info, chain):  # 3
        raise BadTimestamp("expected signed attributes for this content and this certificate")
    try:
        keys.verify(chain.public_key, token.signature, token.signed_attributes)  # 4
    except BadSignature as error:
        raise BadTimestamp("expected a signature by the timestamp's own certificate") from error
    verify_chain(chain, root=root, purpose=Purpose.TIMESTAMP, at=at)  # 5
    return at


def _parse_request(der: bytes) -> _Query:
    if len(der) > MAX_REQUEST_BYTES:
        raise _Refused(Failure.BAD_DATA_FORMAT, f"expected at most {MAX_REQUEST_BYTES} bytes")
    try:
        fields: dict[str, Any] = _TimeStampReq.load(der, strict=True).native
        algorithm: str = fields["message_imprint"]["hash_algorithm"]["algorithm"]
        imprint: bytes = fields["message_imprint"]["hashed_message"]
    except _MALFORMED as error:
        raise _Refused(Failure.BAD_DATA_FORMAT, "expected a TimeStampReq in DER") from error
    _check_request(fields, algorithm, imprint)
    return _Query(
        algorithm=algorithm,
        imprint=imprint,
        nonce=fields["nonce"],
        wants_certificates=fields["cert_req"],
    )


def _check_request(fields: dict[str, Any], algorithm: str, imprint: bytes) -> None:
    if fields["version"] != "v1":
        raise _Refused(Failure.BAD_REQUEST, "expected version 1")
    if algorithm not in IMPRINT_BYTES:
        raise _Refused(Failure.BAD_ALGORITHM, "expected SHA-256, SHA-384 or SHA-512")
    if len(imprint) != IMPRINT_BYTES[algorithm]:
        raise _Refused(
            Failure.BAD_DATA_FORMAT, f"expected an imprint of {IMPRINT_BYTES[algorithm]} bytes"
        )
    if fields["req_policy"] not in {None, POLICY}:
        raise _Refused(Failure.UNACCEPTED_POLICY, f"expected policy {POLICY}")
    if fields["extensions"]:
        raise _Refused(Failure.UNACCEPTED_EXTENSION, "expected no extensions")
    if (fields["nonce"] or 0).bit_length() > MAX_NONCE_BITS:
        raise _Refused(Failure.BAD_DATA_FORMAT, f"expected a nonce of {MAX_NONCE_BITS} bits")


def _info(query: _Query, at: datetime, serial: int) -> bytes:
    fields: dict[str, object] = {
        "version": "v1",
        "policy": POLICY,
        "message_imprint": {
            "hash_algorithm": {"algorithm": query.algorithm},
            "hashed_message": query.imprint,
        },
        "serial_number": serial,
        "gen_time": at.replace(microsecond=0),
    }
    if query.nonce is not None:
        fields["nonce"] = query.nonce
    return bytes(_TSTInfo(fields).dump())


def _signed_attributes(info: bytes, chain: Chain) -> bytes:
    """The SET that is signed: what kind of content, its digest, and by which certificate."""
    leaf, _ = chain.to_der()
    content, certificate = hashlib.sha256(info).digest(), hashlib.sha256(leaf).digest()
    return _CONTENT_TYPE + _MESSAGE_DIGEST + content + _SIGNING_CERTIFICATE_V2 + certificate


def _assemble(token: _Token, chain: Chain) -> bytes:
    """The one response that these parts make."""
    leaf = _Certificate.load(chain.to_der()[0])
    signer_info = {
        "version": "v1",
        "sid": {
            "issuer_and_serial_number": {"issuer": leaf.issuer, "serial_number": leaf.serial_number}
        },
        "digest_algorithm": {"algorithm": "sha256"},
        "signed_attrs": _CMSAttributes.load(token.signed_attributes),
        "signature_algorithm": {"algorithm": "sha256_ecdsa"},
        "signature": token.signature,
    }
    signed: dict[str, object] = {
        "version": "v3",  # RFC 5652, 5.1: content other than plain data
        "digest_algorithms": [{"algorithm": "sha256"}],
        "encap_content_info": {"content_type": "tst_info", "content": _OctetString(token.info)},
        "signer_infos": [signer_info],
    }
    if token.certificates:
        signed["certificates"] = [_Certificate.load(der) for der in token.certificates]
    content = {"content_type": "signed_data", "content": _SignedData(signed)}
    return bytes(_Response({"status": {"status": "granted"}, "time_stamp_token": content}).dump())


def _rejection(refusal: _Refused) -> bytes:
    status = {
        "status": "rejection",
        "status_string": [str(refusal)],
        "fail_info": {refusal.failure.value},
    }
    return bytes(_Response({"status": status}).dump())


def _parse_response(der: bytes) -> _Token:
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
        return _Token(
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


def _chain_of(token: _Token) -> Chain:
    try:
        return Chain.parse(token.certificates)
    except InvalidDocument as error:
        raise BadTimestamp(str(error)) from error


def _check_whole(token: _Token, chain: Chain, response: bytes) -> None:
    try:
        is_whole = _assemble(token, chain) == response
    except _MALFORMED:  # a part that cannot even be written again
        is_whole = False
    if not is_whole:
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
    return at, imprint
