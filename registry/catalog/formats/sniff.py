# SPDX-License-Identifier: Apache-2.0
"""What bytes really are, whatever their file is called: programs, pickles and archives.

`found` names the first such thing it sees. The formats themselves are checked to the last byte
elsewhere; this catches what could be two things at once, and gives refusals their plain words.
"""

from __future__ import annotations

import io
import pickletools
from itertools import islice

HEAD_BYTES = 64 * 1024
# The end of a zip's central directory lies at the end of the file, before a comment of at most
# 65,535 bytes (APPNOTE 4.3.16); zip readers, and so torch.load, look for it there.
ZIP_END = b"PK\x05\x06"
ZIP_END_BYTES = 22
TAIL_BYTES = ZIP_END_BYTES + 65_535

MAGIC = (
    (b"\x7fELF", "an ELF program"),
    (b"\xfe\xed\xfa\xce", "a Mach-O program"),
    (b"\xfe\xed\xfa\xcf", "a Mach-O program"),
    (b"\xce\xfa\xed\xfe", "a Mach-O program"),
    (b"\xcf\xfa\xed\xfe", "a Mach-O program"),
    (b"\xca\xfe\xba\xbe", "a Mach-O or Java program"),
    (b"\x00asm", "a WebAssembly program"),
    (b"#!", "a script"),
    (b"PK\x03\x04", "a zip archive"),
    (b"PK\x05\x06", "a zip archive"),
    (b"PK\x07\x08", "a zip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a rar archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy file"),
    (b"GGUF", "a GGUF file"),
)
PE_MAGIC, PE_OFFSET_AT, PE_HEADER = b"MZ", 0x3C, b"PE\x00\x00"
TAR_MAGIC, TAR_MAGIC_AT = b"ustar", 257
PICKLE_PROTOCOL = 0x80
PICKLE_PROTOCOLS = range(2, 6)
MAX_OPCODES = 100_000
# Opcodes that import or call something: without one a pickle is inert data.
PICKLE_CALLS = frozenset(
    (
        *("GLOBAL", "STACK_GLOBAL", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "REDUCE", "BUILD"),
        *("EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID"),
    )
)


def found(head: bytes, tail: bytes) -> str | None:
    """What the first and last bytes of a file give away; None for nothing suspicious."""
    for magic, name in MAGIC:
        if head.startswith(magic):
            return name
    if _is_pe(head):
        return "a Windows program"
    if head[TAR_MAGIC_AT : TAR_MAGIC_AT + len(TAR_MAGIC)] == TAR_MAGIC:
        return "a tar archive"
    if is_pickle(head):
        return "a pickle"
    if _ends_as_zip(tail):
        return "a zip archive"
    return None


def is_pickle(content: bytes) -> bool:
    """That unpickling these bytes would import or call something, or that they begin as pickles do.

    Protocol 0 is plain ASCII, so a text could hide one. The opcodes are read, never run; a pickle
    that is cut off counts as one.
    """
    is_announced = (
        len(content) > 1 and content[0] == PICKLE_PROTOCOL and content[1] in PICKLE_PROTOCOLS
    )
    has_call = False
    stream = io.BytesIO(content)
    try:
        for opcode, argument, _ in islice(pickletools.genops(stream), MAX_OPCODES):
            if opcode.name in PICKLE_CALLS:
                if not _is_plausible(opcode.name, argument):
                    return False
                has_call = True
    except (ValueError, IndexError, OverflowError):
        is_cut_off = stream.tell() == len(content)
        return is_cut_off and (is_announced or has_call)
    return is_announced or has_call


def _is_plausible(opcode: str, argument: object) -> bool:
    """English prose can spell a GLOBAL; a module's and a name's spelling it has not."""
    if opcode not in {"GLOBAL", "INST"}:
        return True
    module, _, name = str(argument).partition(" ")
    return all(part.isidentifier() for part in [*module.split("."), *name.split(".")])


def _is_pe(head: bytes) -> bool:
    if not head.startswith(PE_MAGIC) or len(head) < PE_OFFSET_AT + 4:
        return False
    at = int.from_bytes(head[PE_OFFSET_AT : PE_OFFSET_AT + 4], "little")
    return head[at : at + len(PE_HEADER)] == PE_HEADER


def _ends_as_zip(tail: bytes) -> bool:
    """Whether a zip ends here: a central directory whose comment reaches to the last byte."""
    at = tail.rfind(ZIP_END)
    while at >= 0:
        end = tail[at : at + ZIP_END_BYTES]
        if len(end) == ZIP_END_BYTES:
            comment_bytes = int.from_bytes(end[20:22], "little")
            if at + ZIP_END_BYTES + comment_bytes == len(tail):
                return True
        at = tail.rfind(ZIP_END, 0, at)
    return False
