# SPDX-License-Identifier: Apache-2.0
"""The pinned trust roots on disk: one file each, in a folder that belongs to the user.

The user's folder (config.py) holds `trust/<fingerprint>.json`. A file that cannot be read
is an error and never skipped: it may be the one that was meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from .. import canonical
from ..durable import PRIVATE_FOLDER_MODE, write_file
from ..errors import InvalidDocument, NoTrustRoot
from ..trust import Pinned
from ..values import dataclass
from . import config
from .errors import InputUnreadable, UnknownPin

MAX_PIN_BYTES = 1 << 20  # a policy of witnesses may be with it
KEPT = 16  # as read: a program that verifies much asks for the same pins each time


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """The folder of pinned trust roots."""

    folder: Path

    @classmethod
    def of_user(cls, environment: Mapping[str, str] | None = None) -> Pins:
        """The user's own."""
        return cls(folder=config.folder(environment) / "trust")

    def all(self) -> tuple[Pinned, ...]:
        """Every pin, the oldest first."""
        pins = [pin for _, pin in self._kept()]
        return tuple(sorted(pins, key=lambda pin: (pin.pinned_at, pin.root.registry)))

    def add(self, pin: Pinned) -> Path:
        """Keep a pin; the file appears whole, and only its owner may read it."""
        path = self._path(pin)
        try:
            self.folder.mkdir(mode=PRIVATE_FOLDER_MODE, parents=True, exist_ok=True)
            write_file(path, canonical.dumps(pin.to_json()))
        except OSError as error:
            raise InputUnreadable(f"{path} cannot be written: {error.strerror}") from error
        return path

    def remove(self, pin: Pinned) -> None:
        """Forget a pin."""
        for file, kept in self._kept():
            if kept == pin:
                file.unlink()

    def _path(self, pin: Pinned) -> Path:
        return self.folder / f"{pin.root.fingerprint}.json"

    def _kept(self) -> list[tuple[Path, Pinned]]:
        try:
            return [(file, _read(file)) for file in sorted(self.folder.glob("[!.]*.json"))]
        except OSError as error:
            raise InputUnreadable(f"{error.filename}: {error.strerror}") from error


def _read(file: Path) -> Pinned:
    try:
        return parsed(file.read_bytes())
    except InvalidDocument as error:
        raise error.under(str(file)) from error


@lru_cache(KEPT)
def parsed(data: bytes) -> Pinned:
    """A pin as its file has it; the same bytes are the same pin again."""
    return Pinned.parse(canonical.loads(data, max_bytes=MAX_PIN_BYTES))


def only_registry(pins: tuple[Pinned, ...], *, word: str) -> str:
    """Which registry is meant if none is named by `word`: where the one pinned root is in force."""
    registries = sorted({pin.root.registry for pin in pins})
    if not registries:
        raise NoTrustRoot(
            f"expected {word}, as no registry is trusted yet. To trust one: assay trust add URL"
        )
    if len(registries) > 1:
        raise UnknownPin(f"expected {word}, as you trust several: {', '.join(registries)}")
    return registries[0]


def of_registry(pins: tuple[Pinned, ...], url: str) -> tuple[Pinned, ...]:
    """The root of the registry that was asked; all, where it answers at another address."""
    own = tuple(pin for pin in pins if pin.root.registry == url.rstrip("/"))
    return own or pins
