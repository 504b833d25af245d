# SPDX-License-Identifier: Apache-2.0
"""Private keys that sign, kept in an encrypted file, and public keys that verify.

Which key may sign what is decided by certificates; this module only knows curves.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from pathlib import Path
from typing import Protocol, Self, TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from .durable import create_file
from .errors import BadSignature, KeyUnusable
from .values import dataclass

PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
Sha2: TypeAlias = hashes.SHA256 | hashes.SHA384 | hashes.SHA512
PublicKey: TypeAlias = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

OTHERS_MODE_BITS = 0o077


class Curve(StrEnum):
    """What a key can be. The hash goes with the curve, so that no signature leaves it open."""

    P256 = "P-256"
    P384 = "P-384"
    P521 = "P-521"
    ED25519 = "Ed25519"


class Signer(Protocol):
    """Whatever can sign: a key in memory, in another process, in a token."""

    @property
    def public_key(self) -> PublicKey:
        """The key that verifies what this one signs."""
        ...

    def sign(self, data: bytes) -> bytes:
        """ECDSA (with the hash of its curve; DER) or Ed25519 over `data`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftwareKey:
    """A private key in this process's memory."""

    private: PrivateKey = field(repr=False)

    @classmethod
    def generate(cls, curve: Curve = Curve.P256) -> Self:
        """A new key."""
        if curve is Curve.ED25519:
            return cls(private=ed25519.Ed25519PrivateKey.generate())
        return cls(private=ec.generate_private_key(_NAMED[curve]))

    @classmethod
    def load(cls, path: Path, passphrase: bytes | None) -> Self:
        """Read a PKCS#8 file; one that others may read is refused, as its secret is out."""
        return cls.parse(read_private(path), passphrase, name=path.name)

    @classmethod
    def parse(cls, pem: bytes, passphrase: bytes | None, *, name: str) -> Self:
        """Read PEM (PKCS#8, or SEC 1 as openssl writes it); `name` is for the message alone."""
        try:
            private = serialization.load_pem_private_key(pem, passphrase)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise KeyUnusable(f"{name}: {_unopened(error, passphrase)}") from error
        if not isinstance(private, PrivateKey):
            raise KeyUnusable(f"{name}: expected {_CURVES}, found {type(private).__name__}")
        key = cls(private=private)
        curve_of(key.public_key)
        return key

    def store(self, path: Path, passphrase: bytes | None) -> None:
        """Write a new PKCS#8 file of mode 0600, encrypted if there is a passphrase.

        A key is never replaced, and never written where a link points: FileExistsError.
        """
        encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if passphrase is not None:
            encryption = serialization.BestAvailableEncryption(passphrase)
        pem = self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
        )
        create_file(path, pem)

    @property
    def public_key(self) -> PublicKey:
        """The key that verifies what this one signs."""
        return self.private.public_key()

    def sign(self, data: bytes) -> bytes:
        """ECDSA (with the hash of its curve; DER) or Ed25519 over `data`."""
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            return self.private.sign(data)
        return self.private.sign(data, ec.ECDSA(hash_of(self.private)))


def read_private(path: Path) -> bytes:
    """A key's file, unless others may read it. OSError."""
    if stat.S_IMODE(path.stat().st_mode) & OTHERS_MODE_BITS:
        raise KeyUnusable(f"{path.name}: expected a key file of mode 0600, found a wider one")
    return path.read_bytes()


def _unopened(error: Exception, passphrase: bytes | None) -> str:
    """Why a file is no key that can be used; the library's own words name its functions."""
    if passphrase is not None:
        return "expected a PKCS#8 key that the passphrase opens, found none"
    if isinstance(error, TypeError):
        return "expected a key that is not encrypted, found one that is (openssl pkey decrypts it)"
    return "expected a private key in PEM, found none"


def p256(encoded: bytes) -> ec.EllipticCurvePublicKey:
    """A P-256 key from its SubjectPublicKeyInfo (DER) in its one form; raises KeyUnusable."""
    try:
        key = serialization.load_der_public_key(encoded)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    match key:
        case ec.EllipticCurvePublicKey(curve=ec.SECP256R1()) if spki(key) == encoded:
            return key
        case _:
            raise KeyUnusable("expected a P-256 key in DER, found another")


def spki(key: PublicKey) -> bytes:
    """The key's SubjectPublicKeyInfo (DER), which fingerprints are over."""
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def curve_of(key: object) -> Curve:
    """Which of our curves a public key is on; any other key is refused."""
    match key:
        case ec.EllipticCurvePublicKey(curve=curve):
            return _curve(curve)
        case ed25519.Ed25519PublicKey():
            return Curve.ED25519
        case _:
            raise KeyUnusable(f"expected {_CURVES}, found {type(key).__name__}")


def hash_of(key: ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey) -> Sha2:
    """The hash that goes with a key's curve."""
    return _HASHES[_curve(key.curve)]


def _curve(found: ec.EllipticCurve) -> Curve:
    for curve, named in _NAMED.items():
        if found.name == named.name:
            return curve
    raise KeyUnusable(f"expected {_CURVES}, found one on {found.name}")


def verify(key: PublicKey, signature: bytes, data: bytes) -> None:
    """Raise `BadSignature` unless this key signed exactly these bytes."""
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, data)
        else:
            key.verify(signature, data, ec.ECDSA(hash_of(key)))
    except InvalidSignature as error:
        raise BadSignature(
            f"expected a signature by this {curve_of(key)} key over these bytes, found another"
        ) from error


_CURVES = "a P-256, P-384, P-521 or Ed25519 key"
_NAMED: Mapping[Curve, ec.EllipticCurve] = {
    Curve.P256: ec.SECP256R1(),
    Curve.P384: ec.SECP384R1(),
    Curve.P521: ec.SECP521R1(),
}
_HASHES: Mapping[Curve, Sha2] = {
    Curve.P256: hashes.SHA256(),
    Curve.P384: hashes.SHA384(),
    Curve.P521: hashes.SHA512(),
}
