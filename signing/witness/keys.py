# SPDX-License-Identifier: Apache-2.0
"""A witness's private key in its file: of the two kinds that C2SP tlog-cosignature knows."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from ..cosignatures import WitnessKey
from ..durable import create_file
from ..errors import KeyUnusable
from ..keys import read_private


class Algorithm(StrEnum):
    """By what a witness signs."""

    ED25519 = "ed25519"
    ML_DSA_44 = "ml-dsa-44"
    """FIPS 204, which a quantum computer would not forge; its lines have 2,420 bytes for 64."""


def kept(path: Path, algorithm: Algorithm | None) -> WitnessKey:
    """The key in a file, or a new one that is in it now, of this algorithm or else Ed25519.

    Raises OSError, and KeyUnusable for a key of another algorithm than the one that was asked for.
    """
    if not path.exists():
        create_file(path, _pem(_new(algorithm or Algorithm.ED25519)))
    key = _read(path)
    found = algorithm_of(key)
    if algorithm not in (None, found):
        raise KeyUnusable(f"{path.name}: expected a key for {algorithm}, found one for {found}")
    return key


def algorithm_of(key: WitnessKey) -> Algorithm:
    """By what a key signs."""
    is_older = isinstance(key, Ed25519PrivateKey)
    return Algorithm.ED25519 if is_older else Algorithm.ML_DSA_44


def _new(algorithm: Algorithm) -> WitnessKey:
    match algorithm:
        case Algorithm.ED25519:
            return Ed25519PrivateKey.generate()
        case Algorithm.ML_DSA_44:
            return MLDSA44PrivateKey.generate()


def _pem(key: WitnessKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _read(path: Path) -> WitnessKey:
    try:
        key = load_pem_private_key(read_private(path), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyUnusable(f"{path.name}: expected a private key in PEM, found none") from error
    if not isinstance(key, WitnessKey):
        kinds = "an Ed25519 or ML-DSA-44 key"
        raise KeyUnusable(f"{path.name}: expected {kinds}, found {type(key).__name__}")
    return key
