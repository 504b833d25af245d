# SPDX-License-Identifier: Apache-2.0
"""What kind of file an output is, where its caller does not say: by its name, and how it begins."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from ..mediatypes import Kind, surely
from .contents import Found
from .errors import InputUnreadable

PLAIN, BYTES = "text/plain", "application/octet-stream"
# Python's name for it, and that of its later versions (RFC 2361).
_OTHER_NAMES = {"audio/x-wav": Kind.WAV, "audio/vnd.wave": Kind.WAV}


def media_type(path: Path, found: Found) -> str:
    """The one that its name says, else its bytes; what is no text is never called one.

    Raises InputUnreadable where the name says one thing, and the bytes surely another.
    """
    guessed, packed = mimetypes.guess_type(path.name)
    named = None if guessed is None else _OTHER_NAMES.get(guessed, guessed)
    if packed is not None:  # `lines.csv.gz` has no lines
        named = None
    seen = surely(found.beginning)
    if found.is_text and seen is not Kind.PDF:  # of them a document alone may be all letters
        seen = None
    if seen is not None and named != seen and _excludes(named, is_text=found.is_text):
        raise InputUnreadable(
            f"{path}: expected a file that is what it is called ({named}), found one that begins "
            f"as {seen} does: rename it, or say which with --media-type"
        )
    return named or seen or (PLAIN if found.is_text else BYTES)


def _excludes(named: str | None, *, is_text: bool) -> bool:
    """Whether what is called so begins in one way alone."""
    if named is None:
        return False
    return named in list(Kind) or (named.startswith("text/") and not is_text)
