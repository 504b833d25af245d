# SPDX-License-Identifier: Apache-2.0
"""The bytes of an RFC 3161 answer: a token from its parts, or a failure.

Written directly, as asn1crypto takes a millisecond for what DER leaves no choice in. What may be
answered, and what a token proves, is decided in timestamps.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from cryptography.x509 import Certificate

from . import der
from .certificates import Chain, Purpose
from .values import dataclass

POLICY = Purpose.TIMESTAMP.oid.dotted_string
KEPT = 64  # frames: one for each of the lengths, some ten, of the few that stamp what one meets

_VERSION_1 = der.integer(1)
_SHA256 = der.sequence(der.oid("2.16.840.1.101.3.4.2.1"), der.NULL)
_ECDSA_WITH_SHA256 = der.sequence(der.oid("1.2.840.10045.4.3.2"))
_SIGNED_DATA = der.oid("1.2.840.113549.1.7.2")
_TST_INFO = der.oid("1.2.840.113549.1.9.16.1.4")
_POLICY = der.oid(POLICY)
_GRANTED = der.sequence(der.integer(0))
_REJECTION = der.integer(2)

# The signed attributes (RFC 5652, 5.4 and 11; RFC 5816) before and between their two digests: of
# constant length, so that they are constants.
_CONTENT_TYPE = bytes.fromhex("318186 301a 06092a864886f70d010903 310d 060b2a864886f70d0109100104")
_MESSAGE_DIGEST = bytes.fromhex("302f 06092a864886f70d010904 3122 0420")
_SIGNING_CERTIFICATE_V2 = bytes.fromhex("3037 060b2a864886f70d010910022f 31283026302430220420")
_HEAD_BYTES = 3  # of the SET: its tag, and its length in two bytes
_ATTRIBUTES_TAG = b"\xa0"  # [0] IMPLICIT: in the answer it takes the place of the SET's own tag


class Algorithm(StrEnum):
    """What a request's digest may have been made with, in asn1crypto's names."""

    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"

    @property
    def digest_bytes(self) -> int:
        """How long a digest is."""
        return hashlib.new(self).digest_size


OIDS = {
    Algorithm.SHA256: der.oid("2.16.840.1.101.3.4.2.1"),
    Algorithm.SHA384: der.oid("2.16.840.1.101.3.4.2.2"),
    Algorithm.SHA512: der.oid("2.16.840.1.101.3.4.2.3"),
}


_IDENTIFIERS = {
    (each, has_null): der.sequence(oid, der.NULL if has_null else b"")
    for each, oid in OIDS.items()
    for has_null in (True, False)
}


def algorithm(oid: bytes) -> Algorithm | None:
    """The one with this object identifier (DER); None for any other."""
    return next((each for each, known in OIDS.items() if known == oid), None)


class Failure(StrEnum):
    """RFC 3161, 2.4.2: why no timestamp was given, in asn1crypto's names."""

    BAD_ALGORITHM = "bad_alg"
    BAD_REQUEST = "bad_request"
    BAD_DATA_FORMAT = "bad_data_format"
    UNACCEPTED_POLICY = "unaccepted_policy"
    UNACCEPTED_EXTENSION = "unaccepted_extensions"


_BITS = {
    Failure.BAD_ALGORITHM: 0,
    Failure.BAD_REQUEST: 2,
    Failure.BAD_DATA_FORMAT: 5,
    Failure.UNACCEPTED_POLICY: 15,
    Failure.UNACCEPTED_EXTENSION: 16,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """The parts of a granted response that decide."""

    info: bytes
    """The TSTInfo: what is signed."""
    signed_attributes: bytes
    signature: bytes
    certificates: tuple[bytes, ...]


def imprint(algorithm: Algorithm, digest: bytes, *, has_null: bool) -> bytes:
    """A MessageImprint; the hash's parameters may be NULL or absent (RFC 5754, 2)."""
    return der.sequence(_IDENTIFIERS[algorithm, has_null], der.octets(digest))


def info(*, imprint: bytes, serial: int, at: datetime, nonce: int | None) -> bytes:
    """A TSTInfo under our one policy, in whole seconds; the imprint is the request's own bytes."""
    return der.sequence(
        _VERSION_1,
        _POLICY,
        imprint,
        der.integer(serial),
        der.generalized_time(at),
        b"" if nonce is None else der.integer(nonce),
    )


def signed_attributes(info: bytes, leaf: bytes) -> bytes:
    """The SET that is signed: what kind of content, its digest, and by which certificate."""
    content, certificate = hashlib.sha256(info).digest(), hashlib.sha256(leaf).digest()
    return _CONTENT_TYPE + _MESSAGE_DIGEST + content + _SIGNING_CERTIFICATE_V2 + certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The bytes around the parts of a response, which say all of its lengths."""

    before: bytes
    """Its beginning, up to the TSTInfo."""
    between: bytes
    """From there to what the signed attributes' head announces, the certificates among it."""
    behind: bytes
    """From there to the signature, with which it ends."""
    info_bytes: int
    attributes_head: bytes
    """As it is signed: in the response its tag is another."""
    attributes_bytes: int
    """Without the head."""
    all_bytes: int
    certificates: tuple[bytes, ...]

    @classmethod
    def of(cls, token: Token, chain: Chain) -> Frame:
        """Around parts as long as these, of an answer by this authority."""
        head, attributes = _cut(token.signed_attributes)
        lengths = len(token.info), len(attributes), len(token.signature)
        return _frame(chain.leaf, token.certificates, head, *lengths)

    def around(self, token: Token) -> bytes:
        """The one response that these parts make."""
        _, attributes = _cut(token.signed_attributes)
        behind = (self.between, attributes, self.behind, token.signature)
        return b"".join((self.before, token.info, *behind))

    def parts(self, response: bytes) -> Token | None:
        """Those of a response with the same around them: it is the one that they make."""
        info_at = len(self.before)
        info_end = info_at + self.info_bytes
        attributes_at = info_end + len(self.between)
        attributes_end = attributes_at + self.attributes_bytes
        is_framed = (
            len(response) == self.all_bytes
            and response.startswith(self.before)
            and response.startswith(self.between, info_end)
            and response.startswith(self.behind, attributes_end)
        )
        if not is_framed:
            return None
        return Token(
            info=response[info_at:info_end],
            signed_attributes=self.attributes_head + response[attributes_at:attributes_end],
            signature=response[attributes_end + len(self.behind) :],
            certificates=self.certificates,
        )


def granted(token: Token, chain: Chain) -> bytes:
    """The one TimeStampResp that these parts make."""
    return Frame.of(token, chain).around(token)


def _cut(attributes: bytes) -> tuple[bytes, bytes]:
    return attributes[:_HEAD_BYTES], attributes[_HEAD_BYTES:]


@lru_cache(KEPT)
def _frame(
    leaf: Certificate,
    certificates: tuple[bytes, ...],
    attributes_head: bytes,
    info_bytes: int,
    attributes_bytes: int,
    signature_bytes: int,
) -> Frame:
    """What is around parts of these lengths, whatever they say: around zeros."""
    signature = der.octets(bytes(signature_bytes))
    behind = _ECDSA_WITH_SHA256 + signature[: len(signature) - signature_bytes]
    signer_info = der.sequence(
        _VERSION_1,
        der.sequence(leaf.issuer.public_bytes(), der.integer(leaf.serial_number)),
        _SHA256,
        _ATTRIBUTES_TAG + attributes_head[1:] + bytes(attributes_bytes),
        behind + bytes(signature_bytes),
    )
    listed = der.explicit(0, der.sorted_elements(*certificates)) if certificates else b""
    behind_the_info = listed + der.set_of(signer_info)
    signed = der.sequence(
        der.integer(3),  # RFC 5652, 5.1: content other than plain data
        der.set_of(_SHA256),
        der.sequence(_TST_INFO, der.explicit(0, der.octets(bytes(info_bytes)))),
        behind_the_info,
    )
    whole = der.sequence(_GRANTED, der.sequence(_SIGNED_DATA, der.explicit(0, signed)))
    info_end = len(whole) - len(behind_the_info)
    attributes_at = len(whole) - signature_bytes - len(behind) - attributes_bytes
    return Frame(
        before=whole[: info_end - info_bytes],
        between=whole[info_end:attributes_at],
        behind=behind,
        info_bytes=info_bytes,
        attributes_head=attributes_head,
        attributes_bytes=attributes_bytes,
        all_bytes=len(whole),
        certificates=certificates,
    )


def rejection(failure: Failure, reason: str) -> bytes:
    """A TimeStampResp that holds no token and says why."""
    text = der.sequence(der.utf8(reason))
    return der.sequence(der.sequence(_REJECTION, text, der.named_bit(_BITS[failure])))
