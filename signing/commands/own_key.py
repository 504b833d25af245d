# SPDX-License-Identifier: Apache-2.0
"""A person's own private key: a PEM file, whose passphrase, if it has one, is typed unseen."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path

from ..errors import KeyUnusable
from ..keys import Curve, SoftwareKey, curve_of, read_private
from .errors import InputUnreadable

_ENCRYPTED = b"ENCRYPTED"  # PKCS#8 (RFC 7468, 11) says so in its label, openssl's SEC 1 below it


def load(path: Path) -> SoftwareKey:
    """A key on P-256; raises KeyUnusable, or InputUnreadable."""
    try:
        pem = read_private(path)
    except OSError as error:
        raise InputUnreadable(f"{path}: {error.strerror or error}") from error
    key = SoftwareKey.parse(pem, _passphrase(pem, path), name=path.name)
    if (curve := curve_of(key.public_key)) is not Curve.P256:
        raise KeyUnusable(f"{path.name}: expected a P-256 key, found {curve}")
    return key


def _passphrase(pem: bytes, path: Path) -> bytes | None:
    if _ENCRYPTED not in pem or not sys.stdin.isatty():
        return None
    try:
        return getpass.getpass(f"Passphrase of {path.name}: ").encode()
    except EOFError:
        return None
