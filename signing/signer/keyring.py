# SPDX-License-Identifier: Apache-2.0
"""Private keys by the path of their PKCS#8 file: that file itself, or a reference to a token.

Where a key is in a token, `<name>.json` stands where `<name>.pem` would, and says in which one. It
holds no secret: the PIN is in a file of its own, and is read when the token is logged in.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Self

from .. import canonical
from ..durable import write_file
from ..errors import InvalidDocument, KeyUnusable
from ..keys import OTHERS_MODE_BITS, Curve, Signer, SoftwareKey
from .errors import SignerFilesBroken

if TYPE_CHECKING:
    from ..pkcs11 import Token

REFERENCE_V1 = "https://assay/token-key/v1"
MAX_REFERENCE_BYTES = 4096
LABEL_BYTES = 8  # of the random part of a key's name: two registries never draw the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which token: the library of its module, its label, and the file with its PIN."""

    module: Path
    token: str
    pin_file: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Which key of which token."""

    place: Place
    key: str

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a reference file; raises InvalidDocument."""
        found = canonical.loads(data, max_bytes=MAX_REFERENCE_BYTES)
        document = canonical.as_mapping(found, "reference")
        canonical.only(document, "type", "module", "token", "key", "pin_file")
        canonical.literal(document, "type", REFERENCE_V1)
        place = Place(
            module=Path(canonical.text(document, "module")),
            token=canonical.text(document, "token"),
            pin_file=Path(canonical.text(document, "pin_file")),
        )
        return cls(place=place, key=canonical.text(document, "key"))

    def dumps(self) -> bytes:
        """The file's bytes."""
        place = self.place
        fields = {"module": str(place.module), "pin_file": str(place.pin_file)}
        return canonical.dumps(
            {**fields, "key": self.key, "token": place.token, "type": REFERENCE_V1}
        )


class Keyring:
    """Opens and makes the keys of one process: a token is logged in once, whatever is asked."""

    def __init__(self, passphrase: bytes) -> None:
        self._passphrase = passphrase
        self._tokens: dict[Place, Token] = {}

    def load(self, path: Path) -> Signer:
        """The key of a path; raises OSError if there is none, KeyUnusable if it does not open."""
        reference = self._reference(path)
        if reference is None:
            return SoftwareKey.load(path, self._passphrase)
        return self._token(reference.place).key(reference.key)

    def make(self, path: Path, *, label: str, curve: Curve, within: Place | None) -> Signer:
        """A new key in a file, or within a token; one that an interrupted call made is opened.

        The reference is durable before the key is: no key in a token is without one. It names the
        key by `label` and a random part, so that registries that share a token share no key, and
        nobody puts one there beforehand.
        """
        if within is None:
            if not path.exists():
                SoftwareKey.generate(curve).store(path, self._passphrase)
            return self.load(path)
        before = self._reference(path)
        reference = before or Reference(place=within, key=f"{label} {token_hex(LABEL_BYTES)}")
        if before is None:
            write_file(_reference_file(path), reference.dumps())
        token = self._token(reference.place)
        return token.generate(reference.key, curve, may_be_there=before is not None)

    def place(self, path: Path) -> Place | None:
        """The token that the key of a path is in; None for one in a file."""
        reference = self._reference(path)
        return None if reference is None else reference.place

    def _reference(self, path: Path) -> Reference | None:
        file = _reference_file(path)
        try:
            return Reference.parse(file.read_bytes())
        except FileNotFoundError:
            return None
        except InvalidDocument as error:
            raise KeyUnusable(f"{file.name}: {error}") from error

    def _token(self, place: Place) -> Token:
        try:
            from ..pkcs11 import Token  # noqa: PLC0415 - python-pkcs11 is an extra
        except ModuleNotFoundError as error:
            expected = "expected python-pkcs11, for a key in a token: pip install 'assay[hsm]'"
            raise KeyUnusable(expected) from error
        made = Token(place.module, place.token, place.pin_file)
        return self._tokens.setdefault(place, made)


def read_passphrase(path: Path) -> bytes:
    """The first line of a file that only its owner may read; raises SignerFilesBroken."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        content = path.read_bytes()
    except OSError as error:
        raise SignerFilesBroken(f"the passphrase file {path}: {error.strerror}") from error
    if mode & OTHERS_MODE_BITS:
        raise SignerFilesBroken(f"the passphrase file {path} has mode {mode:04o}, expected 0600")
    passphrase = content.partition(b"\n")[0]
    if not passphrase:
        raise SignerFilesBroken(f"the passphrase file {path} is empty")
    return passphrase


def _reference_file(path: Path) -> Path:
    return path.with_suffix(".json")
