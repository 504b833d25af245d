# SPDX-License-Identifier: Apache-2.0
"""SHA-256 over bytes, streams and files, the printed form of ids, and normalised text.

A digest is 64 lower-case hexadecimal characters everywhere inside Assay; only URLs and printed ids
carry the `sha256:` prefix.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from .errors import InvalidDocument

CHUNK_BYTES = 1 << 20
ID_PREFIX = "sha256:"
_HEX = re.compile(r"[0-9a-f]{64}")


def sha256(data: bytes) -> str:
    """The digest of some bytes."""
    return hashlib.sha256(data).hexdigest()


def sha256_stream(chunks: Iterable[bytes]) -> tuple[str, int]:
    """Digest and size in bytes of a stream, read once."""
    hasher = hashlib.sha256()
    size_bytes = 0
    for chunk in chunks:
        hasher.update(chunk)
        size_bytes += len(chunk)
    return hasher.hexdigest(), size_bytes


def sha256_file(path: Path) -> tuple[str, int]:
    """Digest and size in bytes of a file, read once."""
    with path.open("rb") as file:
        return sha256_stream(iter(lambda: file.read(CHUNK_BYTES), b""))


def is_digest(value: str) -> bool:
    """Whether a string is a digest in our form."""
    return _HEX.fullmatch(value) is not None


def parse_id(printed: str, field: str = "id") -> str:
    """The digest in a printed id (`sha256:…`); `field` is where it stood, for the refusal."""
    digest = printed.removeprefix(ID_PREFIX)
    if digest == printed or not is_digest(digest):
        raise InvalidDocument(field, "sha256: and 64 lower-case hexadecimal digits", ascii(printed))
    return digest


def parse_sought(given: str, field: str) -> str:
    """The digest that somebody looks up, as it is printed or alone."""
    digest = given.removeprefix(ID_PREFIX)
    if not is_digest(digest):
        wanted = "64 lower-case hexadecimal digits, with or without sha256: before them"
        raise InvalidDocument(field, wanted, ascii(given[:80]))
    return digest


def as_id(digest: str) -> str:
    """The printed id of a digest."""
    return ID_PREFIX + digest


def normalised_text(text: str) -> str:
    """A text without the differences that copying and pasting makes.

    NFC; CRLF and CR become LF; spaces and tabs at the end of each line, and line feeds at the end
    of the text, are removed; nothing else (docs/spec/formats.md, section 2).
    """
    unified = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join(line.rstrip(" \t") for line in unified.split("\n")).rstrip("\n")
