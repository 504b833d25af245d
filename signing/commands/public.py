# SPDX-License-Identifier: Apache-2.0
"""A file for everybody, such as a signature or a pack: it is there whole, or not at all.

Where the command line names it beside what is read, a slip of the pen must not cost the latter:
`write_over` takes the place of its own kind and of nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from ..durable import replacing
from ..values import dataclass
from .errors import DestinationTaken, InputUnreadable

PUBLIC_MODE = 0o644


def write_public(path: Path, data: bytes) -> None:
    """Write it, or leave what is there. OSError, or InputUnreadable where no folder is."""
    if not path.absolute().parent.is_dir():
        raise InputUnreadable(f"{path}: expected a folder to write it into, found none: make it")
    with replacing(path) as file:
        file.write(data)
        os.fchmod(file.fileno(), PUBLIC_MODE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Of files that take each other's place."""

    name: str
    """With its article."""
    word: str
    """By which a command line names the file to write."""
    is_one: Callable[[Path], bool]
    """Whether a file is of this kind, or nothing would be lost with it; raises OSError."""


def check_place(path: Path, kind: Kind) -> None:
    """Raise DestinationTaken where something would be lost. OSError."""
    if path.is_file() and not kind.is_one(path):
        raise DestinationTaken(
            f"{path}: expected nothing there or {kind.name}, found something else, "
            f"which was left as it is; {kind.word} names the file to write"
        )


def write_over(path: Path, data: bytes, kind: Kind) -> None:
    """`write_public` where nothing would be lost; raises what it and `check_place` raise."""
    check_place(path, kind)
    write_public(path, data)
