# SPDX-License-Identifier: Apache-2.0
"""What the signature of a C2PA claim is over (COSE, RFC 9052, 4.4; C2PA 2.2, 13.2).

The bytes hold the claim itself, so that whoever signs them can see what is claimed and by whom.
Whether media are what a claim says is its readers' to judge (credentials).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, cast

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from . import cbor
from .errors import InvalidDocument

CONTEXT = "Signature1"
ALGORITHM, ES256 = 1, -7  # RFC 9052, 3.1; RFC 9053, 2.1
X5CHAIN = 33  # RFC 9360, 2
P256_BYTES = 32
PARTS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ToBeSigned:
    """A claim, and the certificates (DER) that its signature is to be verified with."""

    chain: tuple[bytes, ...]
    generator: str
    """The program that made the claim."""
    assertions: tuple[str, ...]
    """The labels of what it asserts; the claim holds the digest of each."""

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a Sig_structure for ES256; raises InvalidDocument for any other bytes."""
        parts = cbor.loads(data)
        if not isinstance(parts, list) or len(cast("list[object]", parts)) != PARTS:
            raise InvalidDocument("structure", f"{PARTS} parts", "another structure")
        context, protected, external, payload = cast("list[object]", parts)
        if context != CONTEXT or external != b"":
            raise InvalidDocument("context", f"{CONTEXT} over nothing else", ascii(context))
        header = _map("protected", cbor.loads(_bytes("protected", protected)))
        if header.keys() ^ {ALGORITHM, X5CHAIN} or header[ALGORITHM] != ES256:
            raise InvalidDocument("protected", "ES256 and a chain", ascii(sorted(header, key=str)))
        claim = _map("claim", cbor.loads(_bytes("claim", payload)))
        generator = _map("claim_generator_info", claim.get("claim_generator_info"))
        return cls(
            chain=tuple(_bytes("x5chain", each) for each in _items("x5chain", header[X5CHAIN])),
            generator=_text("name", generator.get("name")),
            assertions=tuple(
                _label(each)
                for each in _items("created_assertions", claim.get("created_assertions"))
            ),
        )


def raw_signature(der: bytes) -> bytes:
    """A signature of a P-256 key as COSE has it: r and s, of one length (RFC 9053, 2.1)."""
    return b"".join(number.to_bytes(P256_BYTES, "big") for number in decode_dss_signature(der))


def _label(reference: object) -> str:
    """Of an assertion, by the JUMBF address that the claim names it by."""
    url = _text("url", _map("created_assertions", reference).get("url"))
    return url.rpartition("/")[2]


def _bytes(field: str, value: object) -> bytes:
    if not isinstance(value, bytes):
        raise InvalidDocument(field, "bytes", type(value).__name__)
    return value


def _text(field: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidDocument(field, "a text", type(value).__name__)
    return value


def _items(field: str, value: object) -> list[object]:
    if not isinstance(value, list):
        raise InvalidDocument(field, "a list", type(value).__name__)
    return cast("list[object]", value)


def _map(field: str, value: object) -> Mapping[object, object]:
    if not isinstance(value, dict):
        raise InvalidDocument(field, "a map", type(value).__name__)
    return cast("dict[object, object]", value)
