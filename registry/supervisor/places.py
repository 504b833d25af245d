# SPDX-License-Identifier: Apache-2.0
"""Where a registry on one machine keeps its data, secrets, logs and sockets.

Everything lives in one data folder (`.data`, mode 0700). Only sockets may have to live elsewhere:
a unix socket's path is limited to 107 bytes, and PostgreSQL, which refuses to run as root, must be
able to reach the folder of its socket when the data folder belongs to root.
"""

import hashlib
import os
import shutil
import socket
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .errors import UnsafeFolder

SOCKET_PATH_BYTES = 107  # sizeof(sockaddr_un.sun_path) - 1, unix(7)
LONGEST_SOCKET_NAME_BYTES = len("/postgres/.s.PGSQL.5432")
NAME_DIGITS = 12
LEFT_SECONDS = 3600.0  # since its last start, which takes a minute: whoever listens does by then


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The folders of one registry."""

    data: Path
    sockets: Path

    @classmethod
    def of(cls, data: Path) -> "Places":
        """Makes the private folders of a data folder and says where they are."""
        data = data.absolute()
        data.parent.mkdir(parents=True, exist_ok=True)
        for folder in (data, data / "secrets", data / "logs", data / "run"):
            private_folder(folder)
        return cls(data=data, sockets=_socket_folder(data))

    def tidy(self) -> None:
        """Removes the sockets' folder where it lies outside, once nobody listens there."""
        if not self.sockets.is_relative_to(self.data):
            shutil.rmtree(self.sockets, ignore_errors=True)

    @property
    def postgres(self) -> Path:
        """PostgreSQL's data folder."""
        return self.data / "postgres"

    @property
    def valkey(self) -> Path:
        """Valkey's working folder; nothing in it is kept from one start to the next."""
        return self.data / "valkey"

    @property
    def authority(self) -> Path:
        """The certificate authority's folder: keys that only the signer reads."""
        return self.data / "authority"

    @property
    def secrets(self) -> Path:
        """Generated secrets, one file each, mode 0600."""
        return self.data / "secrets"

    @property
    def logs(self) -> Path:
        """One log file for each process."""
        return self.data / "logs"

    @property
    def lock(self) -> Path:
        """Held by the one supervisor of this folder."""
        return self.data / "run" / "lock"

    @property
    def signer_socket(self) -> Path:
        """The signer's socket."""
        return self.sockets / "signer" / "socket"


def private_folder(folder: Path) -> Path:
    """Makes a folder that only this user may enter; refuses one that somebody else made."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            message = f"{folder} must be a folder of user {os.geteuid()}; remove or rename it"
            raise UnsafeFolder(message) from None
        folder.chmod(0o700)
    return folder


def _socket_folder(data: Path) -> Path:
    inside = data / "run"
    length = len(os.fsencode(inside)) + LONGEST_SOCKET_NAME_BYTES
    if os.geteuid() != 0 and length <= SOCKET_PATH_BYTES:
        return inside
    name = hashlib.sha256(os.fsencode(data)).hexdigest()[:NAME_DIGITS]
    folder = private_folder(Path(tempfile.gettempdir()) / f"assay-{os.geteuid()}-{name}")
    os.utime(folder)  # somebody starts here: `sweep` of this start or another leaves it alone
    if os.geteuid() == 0:
        folder.chmod(0o711)  # PostgreSQL passes through as nobody; each subfolder is private
    return folder


def sweep(*, now: float) -> None:
    """Removes the sockets' folders that registries of this user left which were killed.

    Whoever starts again over the same data uses the same folder; this is for those who do not.
    """
    name = f"assay-{os.geteuid()}-{'[0-9a-f]' * NAME_DIGITS}"
    for folder in Path(tempfile.gettempdir()).glob(name):
        if _is_left(folder, now) and not _somebody_listens(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_left(folder: Path, now: float) -> bool:
    try:
        found = folder.lstat()
    except FileNotFoundError:  # another start sweeps, too
        return False
    is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    return is_ours and now - found.st_mtime > LEFT_SECONDS


def _somebody_listens(folder: Path) -> bool:
    return any(_answers(path) for path in folder.rglob("*") if path.is_socket())


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(0.0)  # it is asked, not waited for
        try:
            probe.connect(os.fspath(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:  # it is full, or not for us: that is somebody
            return True
    return True
