# SPDX-License-Identifier: Apache-2.0
"""What each intermediate has revoked: kept as its last list, so that none can take it back.

    lists/<name>.crl            the list that an intermediate signed last, by its own key

Who asks for a list (the registry, over the socket) may add to it. A revocation is for ever, also
where the registry is in wrong hands, or its database is from before the revocation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from .. import crls
from ..certificates import Issuer
from ..durable import make_folder, write_file
from ..errors import AssayError
from ..intermediates import Name
from ..revocation import Revocation
from .errors import StorageUnavailable

LISTS_FOLDER = "lists"


class Revoked:
    """The last lists of one signer, read once each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / LISTS_FOLDER
        self._known: dict[Name, Mapping[int, Revocation]] = {}

    def by(self, name: Name, issuer: Issuer) -> Mapping[int, Revocation]:
        """What an intermediate has revoked, by serial number; raises StorageUnavailable.

        Nothing, where no list is kept: it signed none, or only before lists were kept.
        """
        if name not in self._known:
            self._known[name] = self._load(name, issuer)
        return self._known[name]

    def keep(self, name: Name, crl: bytes, revocations: Iterable[Revocation]) -> None:
        """Make a list durable, before anybody is given it; raises StorageUnavailable."""
        try:
            if not self._folder.exists():
                make_folder(self._folder)
            write_file(self._file(name), crl)
        except OSError as error:
            self._known.pop(name, None)  # the disk may hold the new one: it is read again
            message = f"no list was given out: it cannot be stored: {error.strerror}"
            raise StorageUnavailable(message) from error
        self._known[name] = {each.serial: each for each in revocations}

    def _load(self, name: Name, issuer: Issuer) -> Mapping[int, Revocation]:
        try:
            found = crls.read(self._file(name).read_bytes(), issuer=issuer.certificate)
        except FileNotFoundError:
            return {}
        except (OSError, AssayError) as error:
            message = f"nothing was signed: the last list of {name} cannot be read: {error}"
            raise StorageUnavailable(message) from error
        return {each.serial: each for each in crls.revocations(found)}

    def _file(self, name: Name) -> Path:
        return self._folder / f"{name}.crl"


def together(kept: Mapping[int, Revocation], asked: Iterable[Revocation]) -> tuple[Revocation, ...]:
    """All that was revoked before and all that is now, ordered by serial number.

    What is said twice counts from the earlier moment: nobody makes a revocation milder.
    """
    found = dict(kept)
    for each in asked:
        found[each.serial] = stricter(kept.get(each.serial), each)
    return tuple(found[serial] for serial in sorted(found))


def stricter(kept: Revocation | None, asked: Revocation) -> Revocation:
    """Of two revocations of one certificate the one that counts from earlier; else the kept."""
    if kept is None or _counts_from(asked) < _counts_from(kept):
        return asked
    return kept


def _counts_from(revocation: Revocation) -> datetime:
    return revocation.invalid_from or revocation.revoked_at
