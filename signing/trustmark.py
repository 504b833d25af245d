# SPDX-License-Identifier: Apache-2.0
"""A second watermark of generated pictures: Adobe's TrustMark, whose number a key vouches for.

TrustMark's networks put 100 bits into a picture, and read them again. 61 are free: the picture's
number (picturemark.payload) in 30, and 31 that only the key's holders can tell from the number.
Whatever the networks read in a picture that has nothing of ours, those 31 are right once in 2³¹
times. They are no secret: whoever has a marked picture, or its manifest, can put them into another.
The pixels' half is in trainers.

Bui, Agarwal, Collomosse: TrustMark (arXiv:2311.18297); its data schema 1, as its readers have it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from hashlib import shake_256
from types import MappingProxyType

from . import bch, picturemark
from .watermark import WatermarkKey

SCHEME = "tile+trustmark-q/v1"
"""What statements call a picture with both watermarks."""
ALGORITHM = "com.adobe.trustmark.Q"
"""Its name in C2PA's list of soft bindings."""
ENCODER, DECODER = "encoder_Q.onnx", "decoder_Q.onnx"
# Variant Q as Adobe publishes it for ONNX; the digests are those that huggingface.co says of its
# copy (jean-is/trustmark-onnx).
SHA256 = MappingProxyType(
    {
        ENCODER: "19b3d1b25836130ffd78775a8f61539f993375d1823ef0e59ba5b8dffb4f892d",
        DECODER: "ee3268f057c9dabef680e169302f5973d0589feea86189ed229a896cc3aa88df",
    }
)
PACKET_BITS = 100
PAYLOAD_BITS = 61
VOUCHED_BITS = PAYLOAD_BITS - picturemark.PAYLOAD_BITS
_SCHEMA = 1  # BCH with five corrected bits; a reader looks at the last two of its four bits
_SCHEMA_BITS, _SCHEMA_MASK = 4, 0b11
_PADDING_BITS = 3  # zeros, which are checked with the payload and not written
_BINDING = re.compile(rf"{_SCHEMA}\*([01]{{{PAYLOAD_BITS}}})", re.ASCII)


def payload(key: WatermarkKey, number: int) -> int:
    """The 61 bits of a picture's number."""
    data = key.secret + b"assay picture trustmark\0" + number.to_bytes(4, "big")
    vouched = int.from_bytes(shake_256(data).digest(4), "big") >> (32 - VOUCHED_BITS)
    return number << VOUCHED_BITS | vouched


def recognised(payload_: int, keys: Iterable[WatermarkKey]) -> tuple[WatermarkKey, int] | None:
    """Whose number it is, and which; None where no key vouches for it."""
    number = payload_ >> VOUCHED_BITS
    return next(((key, number) for key in keys if payload(key, number) == payload_), None)


def chance(keys: int) -> float:
    """That one of so many keys vouches for what was not copied from what it marked; at most."""
    return keys * 2.0**-VOUCHED_BITS


def packet(payload_: int) -> tuple[int, ...]:
    """The 100 bits that a picture is given: payload, checks, schema."""
    checks = bch.checks(payload_ << _PADDING_BITS)
    whole = (payload_ << bch.CHECK_BITS | checks) << _SCHEMA_BITS | _SCHEMA
    return tuple(int(bit) for bit in format(whole, f"0{PACKET_BITS}b"))


def unpacked(bits: Sequence[int]) -> int | None:
    """The payload of 100 bits, five of which may be wrong; None where there is none."""
    whole = int("".join(map(str, bits)), 2)
    if whole & _SCHEMA_MASK != _SCHEMA:
        return None
    payload_, checks = divmod(whole >> _SCHEMA_BITS, 1 << bch.CHECK_BITS)
    word = payload_ << (bch.CHECK_BITS + _PADDING_BITS) | checks
    found = bch.corrected(word, PAYLOAD_BITS + _PADDING_BITS + bch.CHECK_BITS)
    if found is None or found >> bch.CHECK_BITS & (1 << _PADDING_BITS) - 1:
        return None
    return found >> (bch.CHECK_BITS + _PADDING_BITS)


def binding(payload_: int) -> str:
    """As TrustMark's makers write it into manifests: the schema, and the payload's bits."""
    return f"{_SCHEMA}*{payload_:0{PAYLOAD_BITS}b}"


def bound(value: str) -> int | None:
    """The payload of such a text; None where it is another."""
    match = _BINDING.fullmatch(value)
    return None if match is None else int(match[1], 2)
