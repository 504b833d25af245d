# SPDX-License-Identifier: Apache-2.0
"""The bytes of an output, from a file or through a pipe: read once, and hashed as they come."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

from .. import media
from ..digests import CHUNK_BYTES, sha256_stream
from ..media import Carrier
from ..values import dataclass
from ..verify import Content
from . import packs
from .errors import InputUnreadable

MAX_TEXT_BYTES = 64 << 20  # larger content is not normalised: it is no text that was pasted
BEGINNING_BYTES = 16  # more than any mark of a kind of file


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What there is to compare with a statement, and with a C2PA manifest."""

    content: Content
    """Its digests; normalised too if it is small enough to be a text."""
    carrier: Carrier | None
    """Itself, if it has a manifest, in it or in `FILE.c2pa`."""
    beginning: bytes
    is_text: bool
    """Small enough to be one, UTF-8, and without NUL."""


def read(path: Path) -> Found:
    """What is in a file, or comes through a pipe, of which at most MAX_TEXT_BYTES are kept.

    Raises OSError, and InputUnreadable for more than that through a pipe with a manifest, which is
    read by who goes to and fro in it.
    """
    sidecar, search = media.sidecar(path), media.Search()
    with path.open("rb") as file:
        head = packs.read_most(file, MAX_TEXT_BYTES + 1)
        is_small = len(head) <= MAX_TEXT_BYTES
        if is_small:
            content = Content.of(search.seen(head))
        else:
            chunks = chain((head,), iter(lambda: file.read(CHUNK_BYTES), b""))
            digest, _ = sha256_stream(map(search.seen, chunks))
            content = Content(sha256=digest, normalised_sha256=None)
        is_there_again = file.seekable()
    has_manifest = sidecar is not None or search.has_found
    if has_manifest and not is_small and not is_there_again:
        raise InputUnreadable(
            f"{path}: expected a file, for it has a C2PA manifest and more than "
            f"{MAX_TEXT_BYTES >> 20} MiB; found a pipe: write it into a file first, and name that"
        )
    kept = None if is_there_again else head
    return Found(
        content=content,
        carrier=Carrier(path=path, sidecar=sidecar, content=kept) if has_manifest else None,
        beginning=head[:BEGINNING_BYTES],
        is_text=content.normalised_sha256 is not None and b"\0" not in head,
    )
