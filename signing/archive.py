# SPDX-License-Identifier: Apache-2.0
"""Several files in one, as a ZIP of one form: any program opens it, and no byte of it is free.

Nothing is compressed, dated or commented, and the names are in order: of the same files there is
one archive. A reader makes it again from what it read and compares, so whatever else a ZIP may hold
(a second directory, a name twice, other sizes, a bomb) is none of these.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator, Mapping

from .errors import InvalidDocument

MAX_ARCHIVE_BYTES = 64 << 20  # eight of the largest documents; far below where ZIP64 begins
MAX_FILES = 1024
MAX_NAME_CHARACTERS = 128
NAME = re.compile(r"[a-z0-9][a-z0-9.-]*(/[a-z0-9][a-z0-9.-]*)?")
# APPNOTE.TXT 4.3.7, 4.3.12, 4.3.16; the earliest day that it can write, for none is meant.
_LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_VERSION, _STORED, _DATE = 10, 0, 0x0021
_LOCAL_FIELDS = struct.Struct("<4s5H3I2H")


def is_archive(head: bytes) -> bool:
    """Whether bytes that begin so may be one: JSON, PEM and DER never do."""
    return head.startswith(_LOCAL)


def write(files: Mapping[str, bytes]) -> bytes:
    """The archive of these files; raises InvalidDocument for a name or a size that cannot be."""
    if not 0 < len(files) <= MAX_FILES:
        raise InvalidDocument("archive", f"1 to {MAX_FILES} files", str(len(files)))
    parts, directory, offset = list[bytes](), list[bytes](), 0
    for name, data in sorted(files.items()):
        _check_name(name)
        fields = _fields(name, data)
        parts += [_LOCAL, fields, name.encode("ascii"), data]
        directory.append(_entry(name, fields, offset))
        offset += _LOCAL_FIELDS.size + len(name) + len(data)
    listed = b"".join(directory)
    count = len(files)
    parts += [listed, _END, struct.pack("<4H2IH", 0, 0, count, count, len(listed), offset, 0)]
    size = sum(map(len, parts))
    if size > MAX_ARCHIVE_BYTES:
        raise InvalidDocument("archive", f"at most {MAX_ARCHIVE_BYTES} bytes", f"{size}")
    return b"".join(parts)


def read(data: bytes) -> dict[str, bytes]:
    """The files of an archive, which is exactly the one that they make; raises InvalidDocument."""
    if len(data) > MAX_ARCHIVE_BYTES:
        raise InvalidDocument("archive", f"at most {MAX_ARCHIVE_BYTES} bytes", "more")
    files: dict[str, bytes] = {}
    for name, content in _stored(data):
        if name in files:
            raise InvalidDocument("archive", "each name once", f"{name} twice")
        files[name] = content
    if write(files) != data:
        raise InvalidDocument("archive", "the one form that these files have", "another")
    return files


def _stored(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Each file as its own header says, up to the directory."""
    place, count = 0, 0
    while data[place : place + len(_LOCAL)] == _LOCAL and count <= MAX_FILES:
        if len(data) < place + _LOCAL_FIELDS.size:
            raise _cut()
        _, _, flags, method, *_, size, unpacked, name_length, extra = _LOCAL_FIELDS.unpack_from(
            data, place
        )
        if (flags, method, extra) != (0, _STORED, 0) or size != unpacked:
            raise InvalidDocument("archive", "files that are stored as they are", "another form")
        start = place + _LOCAL_FIELDS.size
        name = data[start : start + name_length].decode("latin-1")
        _check_name(name)
        place = start + name_length + size
        if place > len(data):
            raise _cut()
        yield name, data[start + name_length : place]
        count += 1


def _fields(name: str, data: bytes) -> bytes:
    crc, size = zlib.crc32(data), len(data)
    return struct.pack("<5H3I2H", _VERSION, 0, _STORED, 0, _DATE, crc, size, size, len(name), 0)


def _entry(name: str, fields: bytes, offset: int) -> bytes:
    """A line of the directory: the file's fields again, then all that we say nothing about."""
    head = _CENTRAL + struct.pack("<H", _VERSION) + fields
    return head + struct.pack("<3H2I", 0, 0, 0, 0, offset) + name.encode("ascii")


def _check_name(name: str) -> None:
    if len(name) > MAX_NAME_CHARACTERS or not NAME.fullmatch(name):
        expected = f"at most {MAX_NAME_CHARACTERS} of a-z, 0-9, `.` and `-`, in at most one folder"
        raise InvalidDocument("archive", f"a name of {expected}", ascii(name[:80]))


def _cut() -> InvalidDocument:
    return InvalidDocument("archive", "whole files", "one that is cut off")
