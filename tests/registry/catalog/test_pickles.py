# SPDX-License-Identifier: Apache-2.0
"""Python's own unpicklers are the judges: what makes one of them use an import is a pickle."""

from __future__ import annotations

import io
import os
import pickle
import pickletools
import re
import resource
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from registry.catalog.content.formats import Refused, gate
from registry.catalog.content.formats.pickles import is_pickle
from tests.house.sources import ROOT
from tests.thorough import examples, points, repeated

CALL = b"cos\nsystem\n(S'a'\ntR."
IMPORTED = [b"cos\nsystem\n", b"(ios\nsystem\n", b"\x8c\x02os\x8c\x06system\x93"]
PUSHED = [
    b"N",
    b"I0x10\n",
    b"I-010\n",
    b"I\0\n",
    b"K\x05",
    b"F1e5\n",
    b"S'a'\n",
    b"Va\n",
    b"X\x01\0\0\0a",
    b"]",
]
# An unpickler takes more than plain digits for the key of its memo.
KEYS = [b"0", b"+0", b"-0", b"00", b"0_0", b" 0 ", b"09", b"1_0", b"+10", b"10", b"010", b"0\0x"]
KNOWN = [
    *IMPORTED,
    *PUSHED,
    *(opcode.code.encode("latin-1") for opcode in pickletools.opcodes if opcode.arg is None),
    *(letter + key + b"\n" for letter in (b"p", b"g") for key in KEYS),
    *(b"q\x01", b"h\x01", b"r\x01\0\0\0", b"j\x01\0\0\0", b"\x80\x04", b"L5L\n", b"\x82\x01"),
    *(b"Px\n", b"\x95" + bytes(8), b"U\x01a", b"F+.5\n", b"Finf\n", b"I01\n", b"L+1\n"),
]


class Called(BaseException):
    """Something was used."""


def spring(*_: object) -> None:
    raise Called


# What an unpickler calls of an import: it, and what it takes for a class, a list, a set, a dict.
METHODS = ("append", "extend", "add", "__setstate__", "__setitem__", "__call__")
Sprung = type("Sprung", (type,), dict.fromkeys(METHODS, spring))
Trap = Sprung("Trap", (), {"__new__": spring})


class _Found:
    """Finds a trap under every name that a module could have."""

    def find_class(self, module: str, name: str) -> object:
        if re.search(r"[\x00-\x20]", module + name) or not (module and name):
            raise ImportError
        return Trap

    def persistent_load(self, name: object) -> object:
        return name


class Judge(_Found, pickle.Unpickler):
    """The one in C."""


class Elder(_Found, pickle._Unpickler):
    """The one in Python, which takes what the other does not."""


JUDGES = (Judge, Elder)
MEMORY = 1024**3  # bytes, beside what the process has


@contextmanager
def little_memory() -> Iterator[None]:
    """Six bytes have the unpickler in C make a table of 34 GB: here it is told there is none."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def is_used(content: bytes) -> bool:
    for judge in JUDGES:
        try:
            with suppress(Exception), little_memory():
                judge(io.BytesIO(content), buffers=[b"a"] * 9).load()
        except Called:
            return True
    return False


def is_refused(tmp_path: Path, content: bytes) -> bool:
    path = tmp_path / "content"
    path.write_bytes(content)
    return is_pickle(path)


@given(st.lists(st.sampled_from(KNOWN) | st.binary(max_size=3), max_size=14).map(b"".join))
@example(b"(cos\nsystem\n(S'a'\ntR.")
@example(b"Np10\n0g+10\n0" + CALL)
@example(b"Np010\n0g10\n0" + CALL)
@example(b"cos\nenviron\nNNs")
@example(b"Nr\xff\xff\xff\x7f.")
@example(b"(ios\nsystem")
@example(b"cos\nsystem\nI\0\n\x85R.")
@examples(500, many=5_000)
def test_whatever_makes_an_unpickler_use_an_import_is_a_pickle(
    tmp_path: Path, content: bytes
) -> None:
    assert is_refused(tmp_path, content) or not is_used(content)


class Runs:
    """Pickled as a call, with what surrounds one in real files."""

    def __reduce__(self) -> tuple[object, tuple[str], dict[str, int]]:
        return os.getenv, ("a",), {"b": 1}


REAL = [
    pickletools.optimize(made) if is_small else made
    for protocol in range(6)
    for is_small in (False, True)
    for made in [pickle.dumps([{"a": (1.5, "b", 2**70)}, Runs(), Runs()], protocol)]
]
CHANGE = st.tuples(
    st.integers(0, 400), st.integers(0, 3), st.sampled_from(KNOWN) | st.binary(max_size=4)
)


# The frame ends within the second name: the unpickler in C takes what is behind for all of it.
CROSSED = b"\x80\x04\x95" + (8).to_bytes(8, "little") + b"(ios\nno\x01" + b"system\n."


@given(st.sampled_from(REAL), st.lists(CHANGE, max_size=4))
@example(CROSSED, [])
@example(CROSSED.removeprefix(b"\x80\x04"), [])
@example(REAL[8], [(49, 0, b"N"), (145, 0, b"Finf\n"), (90, 0, b"(ios\nsystem\n")])
@examples(500, many=5_000)
def test_no_change_of_a_pickle_that_runs_gets_it_through(
    tmp_path: Path, content: bytes, changes: list[tuple[int, int, bytes]]
) -> None:
    for place, gone, put in changes:
        at = place % (len(content) + 1)
        content = content[:at] + put + content[at + gone :]
    assert is_refused(tmp_path, content) or not is_used(content)


@given(st.lists(st.sampled_from(KNOWN), max_size=6).map(b"".join))
@examples(300, many=3_000)
def test_nothing_before_a_call_hides_it(tmp_path: Path, before: bytes) -> None:
    assert is_refused(tmp_path, before + CALL) or not is_used(before + CALL)


@pytest.mark.parametrize("imported", IMPORTED)
@pytest.mark.parametrize("judge", JUDGES)
def test_each_judge_can_say_yes(judge: type[Judge | Elder], imported: bytes) -> None:
    with pytest.raises(Called):
        judge(io.BytesIO(b"\x80\x04" + imported + b"(N" + b"tR.")).load()


HARMLESS = ({"a": [1, 2]}, [1], "word", (1, 2, "three"), {"weights": [0.5, 2**70, None, True]})


@pytest.mark.parametrize("name", ["pytorch_model.bin", "w.txt", "README.md", "noext"])
@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("value", HARMLESS)
def test_a_pickle_of_data_is_refused_too(
    tmp_path: Path, name: str, protocol: int, value: object
) -> None:
    path = tmp_path / "content"
    for behind in (b"", b"\n"):
        path.write_bytes(pickle.dumps(value, protocol) + behind)
        with pytest.raises(Refused, match="found a pickle"):
            gate.check(name, path)


@pytest.mark.parametrize("content", [b"g09\n", b"Np010\n", b"N.", b"I1\n.", b"celery\nredis\n"])
def test_what_only_begins_like_one_or_holds_one_number_is_text(
    tmp_path: Path, content: bytes
) -> None:
    assert not is_refused(tmp_path, content)


@repeated
def test_what_people_write_is_no_pickle() -> None:
    """The standard library, and this repository: Python, TypeScript, HTML, Markdown."""
    library = Path(sysconfig.get_path("stdlib"))
    texts = [*library.glob("*.py"), *library.glob("[e-j]*/**/*.py")]
    ours = [
        path
        for folder in (
            "docs",
            "registry",
            "frontend/islands",
            "frontend/templates",
            "signing",
            "tests",
        )
        for path in (ROOT / folder).rglob("*.*")
        if path.is_file() and path.suffix != ".pyc"
    ]
    assert min(len(texts), len(ours)) > 200
    assert [path for path in points(texts, few=400) + ours if is_pickle(path)] == []


@pytest.mark.parametrize("begin", [b"", b"c", b"p", b"g", b"(", b"V", b"S'", b"I1\n"])
def test_from_any_line_on_prose_is_prose(tmp_path: Path, begin: bytes) -> None:
    lines = (ROOT / "CONTRIBUTING.md").read_bytes().splitlines(keepends=True)
    for number in range(len(lines)):
        assert not is_refused(tmp_path, begin + b"".join(lines[number:]))
