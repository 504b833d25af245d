# SPDX-License-Identifier: Apache-2.0
"""RFC 3161 timestamps: asking for one, giving one, and checking one against the pinned root.

The authority's clock and key are the caller's. A response is read into a frozen value in one place
and then built again from it: whatever the signature does not cover could otherwise be changed
without anybody noticing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from cryptography.x509 import Certificate

from . import der, keys, tokens
from .certificates import Chain, Purpose
from .chains import verify_chain
from .der import Element, NotDer, elements, inside, whole
from .errors import BadSignature, BadTimestamp, InvalidDocument, KeyUnusable
from .keys import Curve, Signer
from .once import Recent
from .tokens import POLICY, Algorithm, Failure, Frame, Token
from .values import dataclass

MAX_RESPONSE_BYTES = 64 << 10
KEPT = 64  # as read and as verified: three steps ask what a response says, and outputs share parts
MOST_FRAMES = 16  # of an authority's leaf, one for each pair of lengths: some ten
MAX_REQUEST_BYTES = 4 << 10
MAX_NONCE_BITS = 160

_VERSION_1 = der.integer(1)
_GRANTED = der.integer(0)
_SHA256 = tokens.OIDS[Algorithm.SHA256]
_POLICY = der.oid(POLICY)
_EXTENSIONS = 0xA0
_WISHES = (der.OID, der.INTEGER, der.BOOLEAN, _EXTENSIONS)  # RFC 3161, 2.4.1: each may be left out
_STATUSES = (  # RFC 3161, 2.4.2, by their numbers
    "granted",
    "granted_with_mods",
    "rejection",
    "waiting",
    "revocation_warning",
    "revocation_notification",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Query:
    """What a request asks for."""

    imprint: bytes
    """The MessageImprint in DER, which the answer repeats."""
    nonce: int | None
    wants_certificates: bool


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
    return der.sequence(
        _VERSION_1,
        tokens.imprint(Algorithm.SHA256, digest, has_null=True),
        b"" if nonce is None else der.integer(nonce),
        der.true() if wants_certificates else b"",
    )


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
    (token, is_framed), found = _read(response), chain(response)
    if not is_framed and tokens.granted(token, found) != response:  # 1
        raise BadTimestamp("expected a response without unsigned parts, found some")
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
    if not is_framed:
        _frames().add(Frame.of(token, found), most=MOST_FRAMES)
    return at


@lru_cache(KEPT)
def chain(response: bytes) -> Chain:
    """The certificates of the authority that answered; nothing is judged here."""
    try:
        return Chain.parse(_parse_response(response).certificates)
    except InvalidDocument as error:
        raise BadTimestamp(str(error)) from error


def _parse_request(request: bytes) -> _Query:
    if len(request) > MAX_REQUEST_BYTES:
        raise _Refused(Failure.BAD_DATA_FORMAT, f"expected at most {MAX_REQUEST_BYTES} bytes")
    try:
        version, imprint, *rest = inside(whole(request, der.SEQUENCE))
        algorithm, digest = inside(imprint)
        kind, *_ = inside(algorithm)
        wishes = _wishes(rest)
    except ValueError as error:  # NotDer is one, and so is another number of elements
        raise _Refused(Failure.BAD_DATA_FORMAT, "expected a TimeStampReq in DER") from error
    if version.encoded != _VERSION_1:
        raise _Refused(Failure.BAD_REQUEST, "expected version 1")
    _check_imprint(imprint.encoded, tokens.algorithm(kind.encoded), digest.content)
    return _asked(imprint.encoded, wishes)


def _wishes(found: Sequence[Element]) -> dict[int, Element]:
    """What a request asks for beside its imprint, by the tags, which are in their order."""
    wishes = {each.tag: each for each in found}
    if [each.tag for each in found] != [tag for tag in _WISHES if tag in wishes]:
        raise NotDer("expected what a request may ask for, in its order")
    return wishes


def _check_imprint(imprint: bytes, algorithm: Algorithm | None, digest: bytes) -> None:
    """The token repeats these bytes (RFC 3161, 2.4.2), so they must be the DER of what they say."""
    if algorithm is None:
        raise _Refused(Failure.BAD_ALGORITHM, "expected SHA-256, SHA-384 or SHA-512")
    if len(digest) != algorithm.digest_bytes:
        expected = f"expected an imprint of {algorithm.digest_bytes} bytes"
        raise _Refused(Failure.BAD_DATA_FORMAT, expected)
    forms = (tokens.imprint(algorithm, digest, has_null=has_null) for has_null in (True, False))
    if imprint not in forms:
        raise _Refused(Failure.BAD_DATA_FORMAT, "expected a hash without parameters, in DER")


def _asked(imprint: bytes, wishes: dict[int, Element]) -> _Query:
    """The query, if it wishes for nothing that is not given."""
    if der.OID in wishes and wishes[der.OID].encoded != _POLICY:
        raise _Refused(Failure.UNACCEPTED_POLICY, f"expected policy {POLICY}")
    if _EXTENSIONS in wishes:
        raise _Refused(Failure.UNACCEPTED_EXTENSION, "expected no extensions")
    nonce = _nonce(wishes[der.INTEGER]) if der.INTEGER in wishes else None
    # A false that is written out is no DER, and asked all the same.
    certificates = wishes[der.BOOLEAN].content if der.BOOLEAN in wishes else b"\0"
    if certificates not in {b"\0", b"\xff"}:
        raise _Refused(Failure.BAD_DATA_FORMAT, "expected true or false for certReq")
    return _Query(imprint=imprint, nonce=nonce, wants_certificates=certificates != b"\0")


def _nonce(found: Element) -> int:
    """The token repeats its value, so it must be the DER of one."""
    nonce = _number(found)
    if nonce.bit_length() > MAX_NONCE_BITS or der.integer(nonce) != found.encoded:
        expected = f"expected a nonce of at most {MAX_NONCE_BITS} bits, in DER"
        raise _Refused(Failure.BAD_DATA_FORMAT, expected)
    return nonce


def token(response: bytes) -> bytes:
    """The TimeStampToken (DER) of a TimeStampResp that grants one; raises BadTimestamp.

    For formats that keep the one without the other. `verify` says whether it is any good.
    """
    _parse_response(response)
    _, content = inside(whole(response, der.SEQUENCE))
    return content.encoded


def _parse_response(response: bytes) -> Token:
    return _read(response)[0]


@lru_cache(KEPT)
def _read(response: bytes) -> tuple[Token, bool]:
    """Its parts, and whether they are known to make it: then it need not be made again."""
    if len(response) > MAX_RESPONSE_BYTES:
        raise BadTimestamp(f"expected at most {MAX_RESPONSE_BYTES} bytes, found {len(response)}")
    framed = (each.parts(response) for each in _frames().values)
    if (token := next(filter(None, framed), None)) is not None:
        return token, True
    try:
        return _token(response), False
    except ValueError as error:  # as of a request
        raise BadTimestamp("expected a TimeStampResp in DER, found other bytes") from error


@lru_cache(1)
def _frames() -> Recent[Frame]:
    """Of timestamps that were verified; forgotten as all that is remembered."""
    return Recent()


def _token(response: bytes) -> Token:
    """As much as is needed to build it again, which says whether the rest is as it must be."""
    status, *granted = inside(whole(response, der.SEQUENCE))
    _check_granted(status)
    (content,) = granted
    _, wrapped = inside(content)
    (signed,) = elements(wrapped.content)
    _, _, encapsulated, *certificates, signers = inside(signed)
    _, holder = inside(encapsulated)
    (info,) = elements(holder.content)
    (signer,) = inside(signers, der.SET)
    _, name, _, attributes, _, signature, *_ = inside(signer)
    _, serial = inside(name)
    found = [each.encoded for listed in certificates for each in elements(listed.content)]
    return Token(
        info=info.content,
        # Signed as a SET, sent with an implicit tag (RFC 5652, 5.4).
        signed_attributes=der.element(der.SET, attributes.content),
        signature=signature.content,
        # A DER set is sorted by its bytes: put the leaf, whose serial it is, in front.
        certificates=tuple(sorted(found, key=lambda each: _serial(each) != serial.encoded)),
    )


def _check_granted(status: Element) -> None:
    number, *_ = inside(status)
    if number.encoded != _GRANTED:
        numbers = [der.integer(place) for place in range(len(_STATUSES))]
        found = dict(zip(numbers, _STATUSES, strict=True)).get(number.encoded, "another number")
        raise BadTimestamp(f"expected a granted timestamp, found the status {found}")


@lru_cache(KEPT)
def _serial(certificate: bytes) -> bytes:
    """A certificate's serial number in DER, which is the second of its fields."""
    body, *_ = inside(whole(certificate, der.SEQUENCE))
    _, serial, *_ = inside(body)
    return serial.encoded


def _read_info(info: bytes) -> tuple[datetime, bytes]:
    """When, and the SHA-256 of what; every field is under the signature."""
    try:
        version, policy, stated, serial, moment, *nonce = inside(whole(info, der.SEQUENCE))
        algorithm, digest = inside(stated)
        kind, *_ = inside(algorithm)
    except ValueError as error:
        raise BadTimestamp("expected a TSTInfo in DER, found other bytes") from error
    if (version.encoded, policy.encoded, kind.encoded) != (_VERSION_1, _POLICY, _SHA256):
        raise BadTimestamp(f"expected version 1, policy {POLICY} and SHA-256, found others")
    try:
        at = der.read_time(moment)
    except NotDer as error:
        raise BadTimestamp("expected a time in whole seconds, found another") from error
    imprints = (
        tokens.imprint(Algorithm.SHA256, digest.content, has_null=each) for each in (True, False)
    )
    is_ours = (
        stated.encoded in imprints
        and moment.encoded == der.generalized_time(at)
        and len(nonce) <= 1
        and all(each.encoded == der.integer(_number(each)) for each in (serial, *nonce))
    )
    if not is_ours:  # an accuracy or a name, say: what it would mean is not checked
        raise BadTimestamp("expected a TSTInfo with the fields of ours, found others")
    return at, digest.content


def _number(found: Element) -> int:
    """An INTEGER's value; whether it is one in DER, whoever writes it again finds out."""
    return int.from_bytes(found.content, "big", signed=True)
