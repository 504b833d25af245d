# SPDX-License-Identifier: Apache-2.0
"""Private keys in a PKCS#11 token (an HSM, a smart card, SoftHSM2), which never leave it.

Needs python-pkcs11, the extra `hsm`: this module is imported only where a key is found to be in a
token (signer/keyring).
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pkcs11
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.exceptions import (
    NoSuchKey,
    NoSuchToken,
    PinIncorrect,
    PinLocked,
    PKCS11Error,
    UserAlreadyLoggedIn,
)
from pkcs11.types import Session, SignMixin

from . import der, keys
from .errors import BadSignature, KeyUnusable
from .keys import OTHERS_MODE_BITS, Curve, PublicKey, hash_of

T = TypeVar("T")

_ED25519 = bytes.fromhex("130c656477617264733235353139")  # PKCS#11 2.40's name: "edwards25519"
_PARAMETERS = {
    Curve.P256: der.oid("1.2.840.10045.3.1.7"),
    Curve.P384: der.oid("1.3.132.0.34"),
    Curve.P521: der.oid("1.3.132.0.35"),
    Curve.ED25519: _ED25519,
}
_NAMED: Mapping[bytes, ec.EllipticCurve] = {
    _PARAMETERS[Curve.P256]: ec.SECP256R1(),
    _PARAMETERS[Curve.P384]: ec.SECP384R1(),
    _PARAMETERS[Curve.P521]: ec.SECP521R1(),
}
_COMPLAINTS: Mapping[type[PKCS11Error], str] = {
    NoSuchToken: "no token of that label",
    NoSuchKey: "no such key in it",
    PinIncorrect: "a PIN that it refuses",
    PinLocked: "a PIN that is locked",
}
# The token's own word (PKCS#11 2.40, 4.9) that it made a private key and never gave it out.
_OURS = (Attribute.SENSITIVE, Attribute.NEVER_EXTRACTABLE, Attribute.LOCAL)
# An EC_POINT is an OCTET STRING with one byte of tag and one or two of length around the point.
_LONG_LENGTH = 0x81


class Token:
    """One token of one module: logged in when first needed, and anew after it was away.

    The PIN is read from its file each time, and kept nowhere.
    """

    def __init__(self, module: Path, label: str, pin_file: Path) -> None:
        self._module = module
        self._label = label
        self._pin_file = pin_file
        self._session: Session | None = None
        self._found: dict[str, SignMixin] = {}
        self._is_refused = False

    def generate(self, label: str, curve: Curve, *, may_be_there: bool = False) -> TokenKey:
        """Make a key that cannot be taken out of the token.

        One that is there already is opened if it `may_be_there`, made by a call that was
        interrupted. Else it is somebody else's: raises KeyUnusable.
        """

        def make(session: Session) -> TokenKey:
            if any(session.get_objects({Attribute.LABEL: label})):
                if may_be_there:
                    return self._key(session, label)
                raise KeyUnusable(f"expected no key at {label} before it is made, found one")
            kind = KeyType.EC_EDWARDS if curve is Curve.ED25519 else KeyType.EC
            parameters = {Attribute.EC_PARAMS: _PARAMETERS[curve]}
            domain = session.create_domain_parameters(kind, parameters, local=True)
            secret = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
            domain.generate_keypair(
                store=True, label=label, id=label.encode(), private_template=secret
            )
            return self._key(session, label)

        return self._do(make, writing=True)

    def key(self, label: str) -> TokenKey:
        """The key with this label; raises KeyUnusable if it cannot be had."""
        return self._do(lambda session: self._key(session, label))

    def sign(self, label: str, data: bytes, mechanism: Mechanism) -> bytes:
        """A signature in PKCS#11's form. A session that broke is opened anew, once."""

        def sign(session: Session) -> bytes:
            return self._private(session, label).sign(data, mechanism=mechanism)

        try:
            return self._do(sign)
        except KeyUnusable:
            if self._is_refused:
                raise
        self._restart()
        return self._do(sign)

    def _private(self, session: Session, label: str) -> SignMixin:
        """Searched for once in a session: each search costs as much as a signature."""
        if label not in self._found:
            self._found[label] = _private_key(session, label)
        return self._found[label]

    def _key(self, session: Session, label: str) -> TokenKey:
        if session is self._session:
            self._private(session, label)
        return TokenKey(token=self, label=label, public_key=_public_key(session, label))

    def _do(self, work: Callable[[Session], T], *, writing: bool = False) -> T:
        try:
            if writing:
                with self._open(writing=True) as session:
                    return work(session)
            if self._session is None:
                self._session = self._open()
            return work(self._session)
        except PKCS11Error as error:
            self._forget()
            raise KeyUnusable(self._complaint(error)) from error

    def _forget(self) -> None:
        self._session = None
        self._found.clear()

    def _open(self, *, writing: bool = False) -> Session:
        """A session that is logged in. A PIN that was wrong is not tried again: tokens lock."""
        if self._is_refused:
            raise KeyUnusable(f"the token {self._label} refused the PIN: start anew with another")
        token = pkcs11.lib(str(self._module)).get_token(token_label=self._label)
        try:
            return token.open(rw=writing, user_pin=read_pin(self._pin_file))
        except UserAlreadyLoggedIn:  # by another session of this process: that holds for all
            return token.open(rw=writing)
        except (PinIncorrect, PinLocked):
            self._is_refused = True
            raise

    def _restart(self) -> None:
        """Modules look for tokens when they are started: one that came back is not seen before."""
        self._forget()
        try:
            pkcs11.lib(str(self._module)).reinitialize()
        except PKCS11Error as error:
            raise KeyUnusable(self._complaint(error)) from error

    def _complaint(self, error: PKCS11Error) -> str:
        found = _COMPLAINTS.get(type(error), type(error).__name__)
        return f"expected the token {self._label} of {self._module.name} and its key, found {found}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenKey:
    """A `Signer` whose private key is in a token."""

    token: Token = field(repr=False)
    label: str
    public_key: PublicKey

    def sign(self, data: bytes) -> bytes:
        """ECDSA (with the hash of its curve; DER) or Ed25519 over `data`.

        What the token made is verified before it leaves: a broken or exchanged key signs nothing.
        """
        made = self._sign(data)
        try:
            keys.verify(self.public_key, made, data)
        except BadSignature as error:
            raise KeyUnusable(f"expected a signature by {self.label}, found another") from error
        return made

    def _sign(self, data: bytes) -> bytes:
        if isinstance(self.public_key, ed25519.Ed25519PublicKey):
            return self.token.sign(self.label, data, Mechanism.EDDSA)
        digest = hashlib.new(hash_of(self.public_key).name, data).digest()
        raw = self.token.sign(self.label, digest, Mechanism.ECDSA)
        half = len(raw) // 2  # PKCS#11 2.40, 2.3.1: r and s, of one length
        return encode_dss_signature(*(int.from_bytes(each) for each in (raw[:half], raw[half:])))


def read_pin(path: Path) -> str:
    """The first line of a file that only its owner may read; raises KeyUnusable."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            pin = file.readline().strip().decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise KeyUnusable(f"the PIN file {path}: {reason}") from None  # the bytes are a secret
    if mode & OTHERS_MODE_BITS:
        raise KeyUnusable(f"the PIN file {path} has mode {mode:04o}, expected 0600")
    if not pin:
        raise KeyUnusable(f"the PIN file {path} is empty")
    return pin


def _private_key(session: Session, label: str) -> SignMixin:
    found = session.get_key(object_class=ObjectClass.PRIVATE_KEY, label=label)
    if not isinstance(found, SignMixin):
        raise KeyUnusable(f"expected a key that signs at {label}, found another")
    missing = [each.name for each in _OURS if not found[each]]
    if missing:
        raise KeyUnusable(
            f"expected a key at {label} that was made in its token and cannot be taken out, "
            f"found one that is not {' and not '.join(missing)}"
        )
    return found


def _public_key(session: Session, label: str) -> PublicKey:
    """The key's public half, which stands beside it under the same label."""
    _private_key(session, label)
    found = session.get_key(object_class=ObjectClass.PUBLIC_KEY, label=label)
    parameters: bytes = found[Attribute.EC_PARAMS]
    encoded: bytes = found[Attribute.EC_POINT]
    point = encoded[3:] if encoded[1] == _LONG_LENGTH else encoded[2:]
    try:
        if parameters in _NAMED:
            return ec.EllipticCurvePublicKey.from_encoded_point(_NAMED[parameters], point)
        return ed25519.Ed25519PublicKey.from_public_bytes(point)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyUnusable(f"expected a P-256, P-384, P-521 or Ed25519 key at {label}") from error
