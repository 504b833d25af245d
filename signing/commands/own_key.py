# SPDX-License-Identifier: Apache-2.0
"""A key of one's own: a PEM file, or a key in a PKCS#11 token, which never leaves it.

A file's passphrase, if it has one, is typed unseen; a token's PIN is in a file that the URI names.
"""

from __future__ import annotations

import getpass
import sys
from pathlib import Path

from ..client.ownkeys import OwnKey
from ..errors import KeyUnusable
from ..keys import Curve, Signer, SoftwareKey, curve_of, read_private
from ..pkcs11uri import SCHEME, TokenUri
from . import config
from .errors import InputUnreadable

KEY = "FILE|pkcs11:…"
CERTIFICATES = "certificates"  # in the user's folder: none of them is a secret
_ENCRYPTED = b"ENCRYPTED"  # PKCS#8 (RFC 7468, 11) says so in its label, openssl's SEC 1 below it


def of(named: str | None) -> OwnKey | None:
    """The key that is named, opened once, with the folder of its certificates; None for none."""
    if named is None:
        return None
    return OwnKey(key=load(named), folder=config.folder() / CERTIFICATES)


def load(named: str) -> Signer:
    """A key on P-256; raises KeyUnusable, InputUnreadable, or InvalidDocument for a wrong URI."""
    key = load_any(named)
    if (curve := curve_of(key.public_key)) is not Curve.P256:
        raise KeyUnusable(f"{_shown(named)}: expected a P-256 key, found {curve}")
    return key


def load_any(named: str) -> Signer:
    """The same on any curve."""
    return _in_token(named) if named.startswith(SCHEME) else _in_file(Path(named))


def _in_file(path: Path) -> SoftwareKey:
    try:
        pem = read_private(path)
    except OSError as error:
        raise InputUnreadable(f"{path}: {error.strerror or error}") from error
    return SoftwareKey.parse(pem, _passphrase(pem, path), name=path.name)


def _in_token(uri: str) -> Signer:
    named = TokenUri.parse(uri)
    try:
        from ..pkcs11 import Token  # noqa: PLC0415 - python-pkcs11 is an extra
    except ModuleNotFoundError as error:
        expected = "expected python-pkcs11, for a key in a token: pip install 'assay[hsm]'"
        raise KeyUnusable(expected) from error
    return Token(named.module, named.token, named.pin_file).key(named.object)


def _shown(named: str) -> str:
    return "the token's key" if named.startswith(SCHEME) else Path(named).name


def _passphrase(pem: bytes, path: Path) -> bytes | None:
    if _ENCRYPTED not in pem or not sys.stdin.isatty():
        return None
    try:
        return getpass.getpass(f"Passphrase of {path.name}: ").encode()
    except EOFError:
        return None
