# SPDX-License-Identifier: Apache-2.0
"""What bytes really are, whatever their file is called: programs and archives.

`found` names the first such thing it sees. The formats themselves are checked to the last byte
elsewhere; this catches what could be two things at once, and gives refusals their plain words.
"""

from __future__ import annotations

HEAD_BYTES = 64 * 1024
# The end of a zip's central directory lies at the end of the file, before a comment of at most
# 65,535 bytes (APPNOTE 4.3.16); zip readers, and so torch.load, look for it there.
ZIP_END = b"PK\x05\x06"
ZIP_END_BYTES = 22
TAIL_BYTES = ZIP_END_BYTES + 65_535

GGUF = "a GGUF file"  # the one of these that is welcome under its own name
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
    (b"GGUF", GGUF),
)
PE_MAGIC, PE_OFFSET_AT, PE_HEADER = b"MZ", 0x3C, b"PE\x00\x00"
TAR_MAGIC, TAR_MAGIC_AT = b"ustar", 257


def found(head: bytes, tail: bytes) -> str | None:
    """What the first and last bytes of a file give away; None for nothing suspicious."""
    for magic, name in MAGIC:
        if head.startswith(magic):
            return name
    if _is_pe(head):
        return "a Windows program"
    if head[TAR_MAGIC_AT : TAR_MAGIC_AT + len(TAR_MAGIC)] == TAR_MAGIC:
        return "a tar archive"
    if _ends_as_zip(tail):
        return "a zip archive"
    return None


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
