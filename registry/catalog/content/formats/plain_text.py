# SPDX-License-Identifier: Apache-2.0
"""Text files of a checkpoint: UTF-8 without control characters, as an editor would show it."""

from __future__ import annotations

import re

from .refused import Refused

MAX_BYTES = 32 * 1024 * 1024  # merges.txt and vocab.txt of the largest vocabularies are below 5 MB
MAX_CARD_BYTES = 256 * 1024  # rendering 20,000 brackets was measured at 0.5 s: bound it
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


def read(content: bytes) -> str:
    """The text; raises Refused for what is none."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(
            "text in UTF-8", f"byte 0x{content[error.start]:02x} at offset {error.start}"
        ) from error
    control = _CONTROL.search(text)
    if control is not None:
        raise Refused("text", f"the control character U+{ord(control[0]):04X} at {control.start()}")
    return text


def storable(text: str) -> str:
    """The text without what PostgreSQL cannot keep: NUL, and half of a surrogate pair."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\ufffd")
