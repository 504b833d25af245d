# SPDX-License-Identifier: Apache-2.0
"""A file for everybody, such as a signature or a pack: it is there whole, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from ..durable import replacing
from .errors import InputUnreadable

PUBLIC_MODE = 0o644


def write_public(path: Path, data: bytes) -> None:
    """Write it, or leave what is there. OSError, or InputUnreadable where no folder is."""
    if not path.absolute().parent.is_dir():
        raise InputUnreadable(f"{path}: expected a folder to write it into, found none: make it")
    with replacing(path) as file:
        file.write(data)
        os.fchmod(file.fileno(), PUBLIC_MODE)
