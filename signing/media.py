# SPDX-License-Identifier: Apache-2.0
"""C2PA manifests in or beside files, read with the C2PA library, the extra `c2pa`.

It is imported when a file is read (or written: `commands.crediting`). What the library says is
judged by `credentials`; whether a file has a manifest at all is told without it. Whoever has it
write a manifest, here or in a registry, does so under `WRITING`, and answers it by a `Callback`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from os import SEEK_END
from pathlib import Path
from types import ModuleType
from typing import IO, cast

from cryptography.hazmat.primitives.serialization import Encoding

from .errors import BadCredentials
from .trust import TrustRoot
from .values import dataclass

SUFFIX = ".c2pa"
MAX_SIDECAR_BYTES = 16 << 20  # some 13 KB, where a registry made it
LIBRARY = "c2pa"
INSTALL = "pip install 'assay[c2pa]'"
_MARK = b"jumdc2pa"  # ISO/IEC 19566-5: a description box, and the type of a C2PA manifest store
_ELSEWHERE = "Remote: "  # how the library says that a file names an address for its manifest
MAX_REASON_CHARACTERS = 200
RIFF, PDF = frozenset({"audio/wav", "image/webp"}), "application/pdf"
RIFF_HEADER_BYTES = 8  # its name, and the length of what follows, which a byte more makes even
PDF_SIGNATURE = b"/ByteRange"  # ISO 32000-2, 12.8.1: never in a stream that is compressed
WRITING: Mapping[str, object] = {
    "builder": {"thumbnail": {"enabled": False}},  # of a small picture it is larger than all else
    # Media are strangers': what they name is not fetched, and nobody is asked about certificates.
    "verify": {"verify_after_sign": False, "remote_manifest_fetch": False, "ocsp_fetch": False},
}


class NoAnswer(Exception):
    """The library was not answered; its callback knows why."""


class Callback:
    """What the library asks back, which then says only that something failed: this keeps why."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self._answer = answer
        self._error: Exception | None = None

    def __call__(self, data: bytes) -> bytes:
        """The answer; raises NoAnswer, whatever was wrong."""
        try:
            return self._answer(data)
        except Exception as error:  # whichever it is: `check` raises it to who wanted the manifest
            self._error = error
            raise NoAnswer from error

    def check(self) -> None:
        """Raise why there was no answer, if there was none."""
        if self._error is not None:
            raise self._error


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """A file with a manifest in it, or in another file beside it."""

    path: Path
    sidecar: bytes | None
    content: bytes | None = None
    """All of it, where it came through a pipe: there it is not a second time."""

    def report(self, media_type: str, trust: TrustRoot, anchors: bytes = b"") -> object:
        """The library's report, with the root and these (PEM) as anchors; raises BadCredentials.

        Nothing that the file names is fetched, and nobody is asked about certificates.
        """
        library = import_module(LIBRARY)
        settings = {
            "trust": {"trust_anchors": (trust.root.public_bytes(Encoding.PEM) + anchors).decode()},
            "verify": {
                "verify_trust": True,
                "verify_timestamp_trust": True,
                "remote_manifest_fetch": False,
                "ocsp_fetch": False,
            },
        }
        try:
            return json.loads(self._read(library, media_type, settings))
        except library.C2paError as error:
            raise BadCredentials(
                f"expected a C2PA manifest that can be read, found one of which c2pa says: "
                f"{str(error)[:MAX_REASON_CHARACTERS]}"
            ) from error

    def _read(self, library: ModuleType, media_type: str, settings: object) -> str:
        with (
            library.Context.from_dict(settings) as context,
            self._open() as stream,
            library.Reader(media_type, stream, self.sidecar, context=context) as reader,
        ):
            return cast("str", reader.json())

    def _open(self) -> IO[bytes]:
        return self.path.open("rb") if self.content is None else BytesIO(self.content)


def has_manifest(media_type: str, source: IO[bytes]) -> bool:
    """Whether a file has a manifest in it, or says at which address one of its own is.

    Raises the library's C2paError for what is no file of this type.
    """
    library = import_module(LIBRARY)
    try:
        with library.Context.from_dict(dict(WRITING)) as context:
            found = library.Reader.try_create(media_type, source, context=context)
    except library.C2paError as error:
        if not str(error).startswith(_ELSEWHERE):
            raise
        return True
    if found is not None:
        found.close()
    return found is not None


def lost(media_type: str, source: IO[bytes]) -> str | None:
    """What of a file would be lost with a manifest in it: of that the library says nothing.

    It ends a RIFF file where its outer chunk ends, and writes all of a PDF anew.
    """
    source.seek(0)
    if media_type in RIFF:
        inner = int.from_bytes(source.read(RIFF_HEADER_BYTES)[4:], "little")
        behind = source.seek(0, SEEK_END) - RIFF_HEADER_BYTES - inner - inner % 2
        return f"{behind} bytes behind its end" if behind > 0 else None
    if media_type == PDF and PDF_SIGNATURE in source.read():
        return "a signature of its own, over all of its bytes"
    return None


def sidecar(path: Path) -> bytes | None:
    """The manifest in `FILE.c2pa`, if that is there. OSError."""
    beside = path.with_name(path.name + SUFFIX)
    if not beside.exists():
        return None
    with beside.open("rb") as file:
        return file.read(MAX_SIDECAR_BYTES)


class Search:
    """Whether a manifest store begins anywhere in bytes that go by, whatever their kind."""

    def __init__(self) -> None:
        self.has_found = False
        self._end = b""

    def seen(self, chunk: bytes) -> bytes:
        """The same bytes, looked at; a mark may begin in those before them."""
        most = len(_MARK) - 1
        across = self._end + chunk[:most]
        self.has_found = self.has_found or _MARK in across or _MARK in chunk
        self._end = (self._end + chunk[-most:])[-most:]
        return chunk


def is_readable() -> bool:
    """Whether the library is installed."""
    return find_spec(LIBRARY) is not None
