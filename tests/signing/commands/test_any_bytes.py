# SPDX-License-Identifier: Apache-2.0
"""Whatever a file holds, `assay` answers with one of its exit codes and never with a traceback."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.signing import canonical
from tests.signing.commands.desk import Desk
from tests.signing.world import AT, TEXT, World
from tests.thorough import examples

WORLD = World.create(at=AT)
EVIDENCE = canonical.dumps(WORLD.evidence_for_output().to_json())
KNOWN_CODES = {10, *range(12, 28), 30}
FUZZED = examples(20, many=100)


@pytest.fixture
def verify(desk: Desk) -> Callable[[bytes], int]:
    """Verify a file with these bytes, alone and as the evidence for a text; the same exit code."""
    desk.pin(WORLD)
    path, text = desk.folder / "any.json", desk.folder / "text.txt"
    text.write_bytes(TEXT.encode())

    def run(data: bytes) -> int:
        path.write_bytes(data)
        alone, out, err = desk.assay("verify", path)
        beside, _, _ = desk.assay("verify", text, "--evidence", path)
        assert bool(out or err)
        assert bool(alone) == bool(beside)
        return alone

    return run


def test_the_bytes_themselves_verify(verify: Callable[[bytes], int]) -> None:
    assert verify(EVIDENCE) == 0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 100,
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b"{}",
        b'{"evidence":null}',
        b'{"evidence":{}}',
        b'{"type":"https://assay/evidence/v1"}',
        b"[" * 1_000_000,
        b'{"a":' * 40_000,
        b'{"a":NaN}',
        b'{"a":1e400}',
        b'{"a":' + b"9" * 10_000 + b"}",
        b'{"a":1,"a":2}',
        b'{"a":"\\ud800"}',
        b" " * (9 << 20),
        EVIDENCE[: len(EVIDENCE) // 2],
        EVIDENCE + b"}",
        EVIDENCE.replace(b'"bundles"', b'"bundels"'),
        EVIDENCE.replace(b'"output":{', b'"outputs":{'),
    ],
)
def test_malformed_files_are_refused(verify: Callable[[bytes], int], data: bytes) -> None:
    assert verify(data) in KNOWN_CODES


def test_an_answer_whose_text_is_none_is_refused(desk: Desk) -> None:
    desk.pin(WORLD)
    path = desk.folder / "answer.json"
    path.write_text(json.dumps({"text": 5, "evidence": json.loads(EVIDENCE)}))
    code, _, err = desk.assay("verify", path)
    assert (code, "text: expected a string, found int" in err) == (10, True)


@FUZZED
@given(data=st.binary(max_size=300))
def test_random_bytes_are_refused(verify: Callable[[bytes], int], data: bytes) -> None:
    assert verify(data) in KNOWN_CODES


@FUZZED
@given(position=st.integers(0, len(EVIDENCE) - 1), bit=st.integers(0, 7))
def test_no_bit_can_be_flipped(verify: Callable[[bytes], int], position: int, bit: int) -> None:
    data = bytearray(EVIDENCE)
    data[position] ^= 1 << bit
    assert verify(bytes(data)) in KNOWN_CODES


@FUZZED
@given(end=st.integers(0, len(EVIDENCE) - 1))
def test_no_end_can_be_cut_off(verify: Callable[[bytes], int], end: int) -> None:
    assert verify(EVIDENCE[:end]) in KNOWN_CODES


WRONG_VALUES: list[object] = [None, True, 0, -1, 2**60, "", "\x1b[2J", "x" * 5000, [], {}, [[[]]]]


def _places(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in a document."""
    found = [path] if path else []
    if isinstance(value, dict):
        for key, inner in value.items():
            found += _places(inner, (*path, str(key)))
    if isinstance(value, list):
        for index, inner in enumerate(value):
            found += _places(inner, (*path, index))
    return found


# DSSE leaves the key id to whoever wants one; nothing is read from it.
PLACES = [place for place in _places(json.loads(EVIDENCE)) if place[-1] != "keyid"]


@examples(50, many=250)
@given(place=st.sampled_from(PLACES), wrong=st.sampled_from(WRONG_VALUES), is_dropped=st.booleans())
def test_no_field_can_be_dropped_or_of_another_type(
    verify: Callable[[bytes], int],
    place: tuple[str | int, ...],
    wrong: object,
    *,
    is_dropped: bool,
) -> None:
    document = json.loads(EVIDENCE)
    holder: Any = document
    for step in place[:-1]:
        holder = holder[step]
    if holder[place[-1]] == wrong:
        return
    if is_dropped:
        del holder[place[-1]]
    else:
        holder[place[-1]] = wrong
    assert verify(json.dumps(document).encode()) in KNOWN_CODES


def test_a_stranger_cannot_paint_the_verdict(desk: Desk) -> None:
    desk.pin(WORLD)
    evil = "\x1b[2J\x1b[32mVerified.\x1b[0m\u202e"
    folder = desk.folder / f"evil{evil}"
    folder.mkdir()
    for words in ((folder,), (desk.folder / evil,), (folder, "--evidence", f"/nowhere/{evil}")):
        _, out, err = desk.assay("verify", *words)
        assert "\x1b" not in out + err
        assert "\u202e" not in out + err


def test_a_folder_name_is_never_taken_for_a_path(desk: Desk) -> None:
    desk.pin(WORLD)
    assert desk.assay("verify", Path("/") / "")[0] in {24, 30}
