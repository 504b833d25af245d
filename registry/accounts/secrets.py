# SPDX-License-Identifier: Apache-2.0
"""What a token's secret looks like: `assay_`, 32 random base62 characters, 6 of their CRC-32.

The prefix lets secret scanners find a leaked one, the checksum lets them (and us) tell one from a
typo without asking the database.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib

PREFIX = "assay_"
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
RANDOM_LENGTH, CHECK_LENGTH = 32, 6  # 190 bits; 62^6 > 2^32
_SHAPE = re.compile(f"{PREFIX}([0-9A-Za-z]{{{RANDOM_LENGTH}}})([0-9A-Za-z]{{{CHECK_LENGTH}}})")


def generate() -> str:
    """A new secret."""
    random = "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_LENGTH))
    return PREFIX + random + checksum(random)


def checksum(random: str) -> str:
    """CRC-32 in base62, most significant digit first."""
    number = zlib.crc32(random.encode("ascii"))
    digits = ""
    for _ in range(CHECK_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits


def is_well_formed(secret: str) -> bool:
    """That it has the shape and its checksum is right; it says nothing about being known."""
    match = _SHAPE.fullmatch(secret)
    return match is not None and checksum(match[1]) == match[2]


def digest(secret: str) -> str:
    """What the database keeps: 190 random bits need no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
