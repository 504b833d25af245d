# SPDX-License-Identifier: Apache-2.0
"""The tokens on disk: one file for each registry, mode 0600, in a folder that is 0700.

The user's folder (config.py) holds `tokens/<digest of the address>.json`. A file that others may
read, or that holds anything else, is an error and never a token; no message repeats what is in it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .. import canonical
from ..digests import sha256
from ..durable import PRIVATE_FOLDER_MODE, sync, write_file
from ..errors import InvalidDocument
from . import config
from .errors import InputUnreadable, UnknownPin
from .pins import Pins, only_registry

LOGIN_V1 = "https://assay/login/v1"
MAX_LOGIN_BYTES = 16 << 10
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A registry's address, and a token that opens something there. It never shows the token."""

    registry: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Logins:
    """The folder of kept tokens."""

    folder: Path

    @classmethod
    def of_user(cls, environment: Mapping[str, str] | None = None) -> Logins:
        """The user's own."""
        return cls(folder=config.folder(environment) / "tokens")

    def path(self, registry: str) -> Path:
        """Where the token for a registry is kept, if there is one."""
        return self.folder / f"{sha256(registry.encode())}.json"

    def find(self, registry: str) -> Login | None:
        """The token that is kept for this very address."""
        path = self.path(registry)
        try:
            with path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                data = file.read(MAX_LOGIN_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputUnreadable(f"{path}: {error.strerror}") from error
        if mode & _OTHERS:
            raise InputUnreadable(
                f"{path}: expected a file that only you may read (chmod 600), found mode "
                f"{stat.S_IMODE(mode):o}; whoever else has read it has your token"
            )
        return _parse(data, path, registry)

    def registries(self) -> tuple[str, ...]:
        """Those that a token is kept for, in the order of their addresses."""
        try:
            return tuple(sorted(map(self._registry, self.folder.glob("[!.]*.json"))))
        except OSError as error:
            raise InputUnreadable(f"{error.filename}: {error.strerror}") from error

    def keep(self, login: Login) -> Path:
        """Keep a token; the file appears whole, and only its owner may read it."""
        path = self.path(login.registry)
        document = {"type": LOGIN_V1, "registry": login.registry, "token": login.secret}
        try:
            self.folder.mkdir(mode=PRIVATE_FOLDER_MODE, parents=True, exist_ok=True)
            self.folder.chmod(PRIVATE_FOLDER_MODE)  # it may have been made by somebody else
            write_file(path, canonical.dumps(document))
        except OSError as error:
            raise InputUnreadable(f"{path} cannot be written: {error.strerror}") from error
        return path

    def forget(self, registry: str) -> bool:
        """Remove what is kept for a registry, whatever it holds; whether there was anything."""
        path = self.path(registry)
        try:
            path.unlink()
            sync(self.folder)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise InputUnreadable(f"{path} cannot be removed: {error.strerror}") from error
        return True

    def _registry(self, path: Path) -> str:
        with path.open("rb") as file:
            data = file.read(MAX_LOGIN_BYTES + 1)
        try:
            document = canonical.loads(data, max_bytes=MAX_LOGIN_BYTES)
            found = canonical.text(canonical.as_mapping(document, "login"), "registry")
            if self.path(found) == path:
                return found
        except InvalidDocument:
            pass  # what it says was found may be the token
        raise InputUnreadable(
            f"{path}: expected a token that assay login kept, found something else"
        )


def registry_meant() -> str:
    """Which registry is meant if none is named: the one that is trusted, or else logged in to.

    Raises NoTrustRoot where there is neither, UnknownPin where there are several.
    """
    pins = Pins.of_user().all()
    if len({pin.root.registry for pin in pins}) == 1:
        return only_registry(pins, word="a URL")
    kept = Logins.of_user().registries()
    if len(kept) == 1:
        return kept[0]
    if kept:
        raise UnknownPin(f"expected a URL, as tokens are kept for several: {', '.join(kept)}")
    return only_registry(pins, word="a URL")


def _parse(data: bytes, path: Path, registry: str) -> Login:
    try:
        obj = canonical.as_mapping(canonical.loads(data, max_bytes=MAX_LOGIN_BYTES), "login")
        canonical.only(obj, "type", "registry", "token")
        canonical.literal(obj, "type", LOGIN_V1)
        canonical.literal(obj, "registry", registry)
        return Login(registry=registry, secret=canonical.text(obj, "token"))
    except InvalidDocument:
        pass  # what it says was found may be the token
    raise InputUnreadable(
        f"{path}: expected the token that assay login kept for {registry}, found something else; "
        f"assay logout {registry} removes it"
    )
