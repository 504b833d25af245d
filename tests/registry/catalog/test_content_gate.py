# SPDX-License-Identifier: Apache-2.0
"""The content gate: what a file is, not what it is called, decides whether it may be published."""

from __future__ import annotations

import io
import os
import pickle
import pickletools
import struct
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from registry.catalog.content.formats import Accepted, Format, Refused, gate
from registry.catalog.content.formats.plain_text import MAX_CARD_BYTES
from tests.registry.catalog.test_gguf import write as write_gguf
from tests.registry.catalog.test_images import picture
from tests.registry.catalog.weights import file, weights

NAMES = (
    "model.safetensors",
    "model.gguf",
    "config.json",
    "README.md",
    "notes.txt",
    "a.png",
    "a.py",
)


class Dangerous:
    """Runs a program when it is unpickled; here it never is."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("false",)


def zipped() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("data.pkl", pickle.dumps(Dangerous()))
    return archive.getvalue()


def tarred() -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as made:
        made.addfile(tarfile.TarInfo("a"))
    return archive.getvalue()


def torch_file(*, is_zip: bool) -> bytes:
    saved = io.BytesIO()
    torch.save({"a": torch.zeros(2)}, saved, _use_new_zipfile_serialization=is_zip)
    return saved.getvalue()


def numpy_objects() -> bytes:
    saved = io.BytesIO()
    np.save(saved, np.array([{}], dtype=object), allow_pickle=True)
    return saved.getvalue()


def windows_program() -> bytes:
    return b"MZ" + bytes(0x3A) + struct.pack("<I", 0x80) + bytes(0x40) + b"PE\x00\x00" + bytes(64)


# Each begins with, or is made of, letters that are opcodes.
WORDS = (
    "hello",
    "Python",
    "base",
    "loss",
    "bob",
    "Nobel",
    "to",
    "other",
    "about",
    "(c)oRb",
    "I",
    "c",
)
DANGEROUS = {
    **{
        f"a pickle of protocol {protocol}": pickle.dumps(Dangerous(), protocol)
        for protocol in range(6)
    },
    "an optimised pickle": pickletools.optimize(pickle.dumps(Dangerous(), 4)),
    "a pickle by hand": b"cos\nsystem\n(S'false'\ntR.",
    "a pickle by hand without mark": b"(S'false'\nios\nsystem\n.",
    "a pickle that is cut off": pickle.dumps(Dangerous(), 4)[:-3],
    "a large pickle": pickle.dumps(("x" * 200_000, Dangerous()), 4),
    "a pickle in another base": b"I0x10\n0cos\nsystem\n(S'false'\ntR.",
    "a pickle behind many opcodes": b"N0" * 50_001 + b"cos\nsystem\n(S'false'\ntR.",
    "what may be a pickle": b"N" * 1_000_000,
    "a pickle that breaks after its call": b"cos\nsystem\n(S'false'\ntRGarbage",
    "a pickle that imports and no more": b"cos\nsystem\n.",
    "a pickle from its memo": b"cos\nsystem\np0\n0g0\n(S'false'\ntR.",
    "a pickle behind a long line": b"V" + b"x" * 200_000 + b"\n0cos\nsystem\n(tR.",
    "a pickle of data": pickle.dumps({"a": 1}, 4),
    "a torch file": torch_file(is_zip=True),
    "an old torch file": torch_file(is_zip=False),
    "a zip": zipped(),
    "a zip behind other bytes": b"x" * 100 + zipped(),
    "a zip with a comment": zipped()[:-2] + b"\x03\x00abc",
    "a tar": tarred(),
    "a gzip": b"\x1f\x8b\x08" + bytes(20),
    "a 7z": b"7z\xbc\xaf\x27\x1c" + bytes(20),
    "NumPy objects": numpy_objects(),
    "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(20),
    "GGUF": b"GGUF\x03\x00\x00\x00",
    "an ELF program": Path(sys.executable).resolve().read_bytes()[:4096],
    "a Windows program": windows_program(),
    "a script": b"#!/bin/sh\nfalse\n",
    "a WebAssembly program": b"\x00asm\x01\x00\x00\x00",
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("content", DANGEROUS.values(), ids=DANGEROUS)
def test_programs_pickles_and_archives_are_refused_under_every_name(
    tmp_path: Path, name: str, content: bytes
) -> None:
    with pytest.raises(Refused):
        check(tmp_path, name, content)


UNKNOWN = (
    "model.pt",
    "model.bin",
    "README",
    "folder.json/x",
    "x.safetensors.zip",
    "a.exe",
)


@pytest.mark.parametrize("name", UNKNOWN)
@pytest.mark.parametrize("content", [b"\xff\x00", b"a\x00b", *DANGEROUS.values()])
def test_under_another_name_nothing_but_text_is_accepted(
    tmp_path: Path, name: str, content: bytes
) -> None:
    assert check(tmp_path, name, b"Plain text.\n") == Accepted(format=Format.TEXT)
    with pytest.raises(Refused, match=r"expected text, or a file ending in \.safetensors, \.gguf"):
        check(tmp_path, name, content)


def test_the_refusal_says_what_was_found_in_disguise(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="expected safetensors content, found a pickle"):
        check(tmp_path, "model.safetensors", pickle.dumps(Dangerous()))
    with pytest.raises(Refused, match="found a zip archive"):
        check(tmp_path, "model.pt", zipped())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.safetensors", weights()),
        ("sub/folder/MODEL.SAFETENSORS", weights()),
        ("config.json", b'{"rope_theta": 10000.0, "eps": 1e-06, "layers": 4}'),
        ("tokenizer.json", b'["a", {"b": [1, 2.5, null, true]}]'),
        ("brackets.json", b'["' + b"[" * 100 + rb'\"[\\", "\\\"[[", {"]\\": "{"}]'),
        ("numbers.json", b"[-1, 0, " + b"9" * 40 + b', "' + b"9" * 100 + b'"]'),
        ("README.md", "# Ein Modell\n\nmit Ümläuten.\r\n\t`code`\n".encode()),
        ("merges.txt", b"#version: 0.2\na b\n"),
        ("empty.txt", b""),
        ("c.txt", b"contact us\nabout this\n. And so on."),
        ("i.txt", b"I am no pickle.\n"),
        ("dot.txt", b".\n"),
        ("paren.md", b"(c) 2026 the authors.\n"),
        ("stop.md", b"N.B. this is prose.\n"),
        ("genes.txt", b"N" * 200_000),
        ("packages.txt", b"celery\nredis\nNumPy\nargon2\n"),
        *((f"{word}.txt", word.encode()) for word in WORDS),
        *((f"{word}-line.txt", f"{word}\n".encode()) for word in WORDS),
    ],
)
def test_what_a_checkpoint_holds_passes(tmp_path: Path, name: str, content: bytes) -> None:
    check(tmp_path, name, content)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "expected JSON"),
        (b"{'a': 1}", "expected JSON"),
        (b'{"a": 1, "a": 2}', "'a' twice"),
        (b'{"a": Infinity}', "Infinity"),
        (b'{"a": 1e999}', "a double can hold"),
        (b"[" * 100 + b"]" * 100, "32 levels"),
        (b"[" * 10_000_000, "32 levels"),
        (rb'["\\", ' + b"[" * 100, "32 levels"),
        (rb'["\\\"", ' + b"[" * 100, "32 levels"),
        (b'"' * 10_000_000, "more quotes"),
        (b'{"a": "\xff"}', "UTF-8"),
        (b"\xff\xfe{\x00}\x00", "UTF-8"),
        (b"9" * 100, "at most 40 characters"),
        (b"[1, -" + b"9" * 40 + b"]", "at most 40 characters"),
        (b"\x00{}", "expected JSON"),
    ],
)
def test_json_is_read_strictly(tmp_path: Path, content: bytes, found: str) -> None:
    with pytest.raises(Refused, match=found):
        check(tmp_path, "config.json", content)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"\xff\xfea\x00", "byte 0xff at offset 0"),
        (b"a\x00b", r"U\+0000 at 1"),
        (b"\x1b]0;title\x07", r"U\+001B at 0"),
    ],
)
def test_text_is_text(tmp_path: Path, content: bytes, found: str) -> None:
    for name in ("README.md", "notes.txt"):
        with pytest.raises(Refused, match=found):
            check(tmp_path, name, content)


def test_a_card_has_a_limit_of_its_own(tmp_path: Path) -> None:
    check(tmp_path, "README.md", b"x" * MAX_CARD_BYTES)
    check(tmp_path, "other.md", b"x" * (MAX_CARD_BYTES + 1))
    for name in ("README.md", "readme.md"):
        with pytest.raises(Refused, match=f"at most {MAX_CARD_BYTES} bytes"):
            check(tmp_path, name, b"x" * (MAX_CARD_BYTES + 1))


def test_a_card_begins_with_yaml_or_with_none(tmp_path: Path) -> None:
    check(tmp_path, "README.md", b"---\nlicense: mit\n---\n# A model\n")
    check(tmp_path, "other.md", b"---\na: [\n---\n")
    with pytest.raises(Refused, match="expected front matter in YAML"):
        check(tmp_path, "README.md", b"---\na: [\n---\n")


def test_python_of_the_checkpoints_own_is_pointed_out(tmp_path: Path) -> None:
    code = b'{"auto_map": {"AutoModel": "modeling.Mine"}}'
    assert check(tmp_path, "modeling.py", b"import this\n").needs_code
    assert check(tmp_path, "config.json", code).needs_code
    assert not check(tmp_path, "config.json", b'{"layers": 4}').needs_code
    assert not check(tmp_path, "list.json", b'["auto_map"]').needs_code


def test_pictures_are_what_they_are_called(tmp_path: Path) -> None:
    for name, kind in (("a.png", "PNG"), ("a.jpg", "JPEG"), ("a.JPEG", "JPEG"), ("a.webp", "WebP")):
        assert check(tmp_path, name, picture(kind)).format == kind
        with pytest.raises(Refused, match=f"expected a {kind} picture"):
            check(tmp_path, name, b"<svg onload='alert(1)'/>" * 2)


def test_gguf_is_accepted_under_its_own_name_alone(tmp_path: Path) -> None:
    content = write_gguf(tmp_path / "made").read_bytes()
    assert check(tmp_path, "model.gguf", content) == Accepted(format=Format.GGUF)
    for name in ("model.safetensors", "notes.txt", "model.bin"):
        with pytest.raises(Refused, match="found a GGUF file"):
            check(tmp_path, name, content)


def test_a_safetensors_header_that_begins_like_a_pickle_is_no_pickle(tmp_path: Path) -> None:
    header = b"{}".ljust(0x480)  # its length is written 80 04 00 ...
    assert file(header)[:2] == pickle.dumps(0, 4)[:2]
    check(tmp_path, "model.safetensors", file(header))


def check(tmp_path: Path, name: str, content: bytes) -> Accepted:
    path = tmp_path / "blob"
    path.write_bytes(content)
    return gate.check(name, path)
