# SPDX-License-Identifier: Apache-2.0
"""What was read before changes nothing of what is read: a value, or a refusal word for word."""

from __future__ import annotations

import json
import marshal
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.signing import canonical, spans
from assay.signing.errors import InvalidDocument
from assay.signing.once import Written
from tests.signing.test_judged_once import forget

Json: TypeAlias = Any
NAMES = frozenset({"run", "checkpoint"})
LONG = "x" * spans.WORTH_BYTES
RUN = {"type": "run", "long": LONG, "1": [1, True, None, {"checkpoint": {"envelope": "e"}}]}
CHECKPOINT = {"type": "checkpoint", "long": LONG, "0": {"1": 'é\\"\n'}}
DOCUMENT = {
    "text": "a text",
    "evidence": {
        "bundles": {"output": {"n": 1}, "checkpoint": CHECKPOINT, "run": RUN},
        "lists": ["a", "b"],
    },
}
WHOLE = json.dumps(DOCUMENT).encode()
RUN_SPAN, CHECKPOINT_SPAN = (json.dumps(each).encode() for each in (RUN, CHECKPOINT))
COMPACT = canonical.dumps(DOCUMENT)


def plain(value: object) -> Json:
    """The same without what is read-only."""
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value


def said(read: Callable[[bytes], object], data: bytes) -> object:
    """What comes of reading: of a value each bit, so that true is no 1; or why there is none."""
    try:
        return marshal.dumps(plain(read(data)), 2)
    except InvalidDocument as error:
        return str(error)


def known(data: bytes) -> object:
    """As a program reads that has read others before."""
    return spans.loads(data, names=NAMES)


@pytest.fixture(autouse=True)
def _seen() -> None:
    forget()
    known(WHOLE)


def holds_what_is_shared(value: Json) -> bool:
    """Whether a document was read around what was read before."""
    return isinstance(value["evidence"]["bundles"]["run"], Written)


def test_what_is_the_same_is_not_read_again() -> None:
    before = json.loads(WHOLE)
    before["text"], before["evidence"]["bundles"]["output"] = "\U0001f600 {[", {"n": {"n": 2}}
    again = known(json.dumps(before).encode())
    assert holds_what_is_shared(again)
    assert plain(again) == before
    assert not holds_what_is_shared(known(COMPACT))
    assert holds_what_is_shared(known(COMPACT))


def test_nobody_can_change_it() -> None:
    first: Json = known(WHOLE)
    run = first["evidence"]["bundles"]["run"]
    run["1"].append("more")
    with pytest.raises(TypeError):
        run["type"] = "another"
    second: Json = known(WHOLE)
    assert plain(second) == DOCUMENT
    assert len(run) == len(RUN)


def deep(levels: int, inner: object) -> object:
    """A value below so many objects."""
    for _ in range(levels):
        inner = {"run": inner}
    return inner


REFUSED = "number: expected an integer"
RUN_THERE = b'"run": ' + RUN_SPAN
SMUGGLED: Mapping[str, bytes] = {
    "a changed byte in it": WHOLE.replace(RUN_SPAN, RUN_SPAN.replace(b"x", b"y", 1)),
    "a byte more in it": WHOLE.replace(RUN_SPAN, RUN_SPAN.replace(b"x", b"xx", 1)),
    "a byte less at its end": WHOLE.replace(RUN_SPAN, RUN_SPAN[:-1]),
    "a bracket more at its end": WHOLE.replace(RUN_SPAN, RUN_SPAN + b"}"),
    "it in the place of another": WHOLE.replace(CHECKPOINT_SPAN, RUN_SPAN),
    "both in another order": WHOLE.replace(RUN_SPAN, b"%")
    .replace(CHECKPOINT_SPAN, RUN_SPAN)
    .replace(b"%", CHECKPOINT_SPAN),
    "names in another order": WHOLE.replace(b'"run": {', b'"%": {')
    .replace(b'"checkpoint": {"type', b'"run": {"type')
    .replace(b'"%": {', b'"checkpoint": {'),
    "its name twice": WHOLE.replace(b'"lists"', b'"lists": 1, "lists"').replace(
        RUN_THERE, RUN_THERE + b', "run": 1'
    ),
    "it twice": WHOLE.replace(RUN_THERE, RUN_THERE + b", " + RUN_THERE),
    "its name twice, before it": WHOLE.replace(b'"output"', b'"run"'),
    "in a string": WHOLE.replace(b'"a text"', b'"' + RUN_THERE + b'"'),
    "in a string, and not where it was": WHOLE.replace(RUN_SPAN, b"1").replace(
        b'"a text"', b'"' + RUN_THERE + b'"'
    ),
    "behind a backslash": WHOLE.replace(RUN_THERE, b"\\" + RUN_THERE),
    "its name in a string": WHOLE.replace(RUN_THERE, b'"\\' + RUN_THERE),
    "nothing before it": WHOLE[WHOLE.index(RUN_THERE) :],
    "nothing behind it": WHOLE[: WHOLE.index(RUN_THERE) + len(RUN_THERE)],
    "no comma before it": WHOLE.replace(b", " + RUN_THERE, b" " + RUN_THERE),
    "two commas before it": WHOLE.replace(b", " + RUN_THERE, b", , " + RUN_THERE),
    "a number before it": WHOLE.replace(b'"run": {', b'"run": 1{'),
    "something behind it": WHOLE.replace(RUN_THERE, RUN_THERE + b" 1"),
    "in a list": WHOLE.replace(RUN_SPAN, b"[" + RUN_SPAN + b"]"),
    "in itself": WHOLE.replace(RUN_SPAN, b'{"run": ' + RUN_SPAN + b"}"),
    "a fraction elsewhere": WHOLE.replace(b'"a text"', b"0.5"),
    "a fraction in a list before it": WHOLE.replace(b'"a text"', b"[0.5]"),
    "a fraction behind it": WHOLE.replace(b'["a"', b'[0.5, "a"'),
    "another fraction": WHOLE.replace(b'"a text"', b"0.25"),
    "a hole before it": WHOLE.replace(b'"a text"', b'{"":0.5}'),
    "a hole behind it": WHOLE.replace(b'["a"', b'[{"":0.5}, "a"'),
    "a hole in its place": WHOLE.replace(RUN_SPAN, b'{"":0.5}'),
    "a hole, and it in a string": WHOLE.replace(b'"a text"', b'{"":0.5}').replace(
        b'"output"', b'"' + RUN_THERE + b'"'
    ),
    "no JSON's constant": WHOLE.replace(b'"a text"', b"NaN"),
    "half a pair": WHOLE.replace(b'"a text"', b'"\\ud800"'),
    "a whole pair": WHOLE.replace(b'"a text"', b'"\\ud83d\\ude00"'),
    "no UTF-8": WHOLE.replace(b"a text", b"\xff"),
    "half a character before it": WHOLE.replace(b'"run": {', b'"run": \xc3{'),
    "a mark before it": b"\xef\xbb\xbf" + WHOLE,
    "nothing at all": b"",
    "as deep as may be": json.dumps(deep(28, DOCUMENT)).encode(),
    "deeper": json.dumps(deep(29, DOCUMENT)).encode(),
    "as deep as is read around": json.dumps(deep(12, DOCUMENT)).encode(),
    "too long": WHOLE + b" " * canonical.MAX_BYTES,
    "too long to be kept": COMPACT + b" " * spans.MAX_BYTES,
}


@pytest.mark.parametrize("how", SMUGGLED)
def test_nothing_is_smuggled_past_it(how: str) -> None:
    data = SMUGGLED[how]
    assert data != WHOLE
    for _ in range(2):
        assert said(known, data) == said(canonical.loads, data)
        assert plain(known(WHOLE)) == DOCUMENT


def test_what_is_deep_by_itself_is_read_each_time() -> None:
    run: Json = {"run": {"long": LONG, "1": deep(canonical.PART_DEPTH, 1)}}
    data = json.dumps({"long": run}).encode()
    for _ in range(2):
        value: Json = known(data)
        assert type(value["long"]["run"]) is dict


PIECES = st.sampled_from(
    [
        *(
            b"{",
            b"}",
            b"[",
            b"]",
            b'"',
            b":",
            b",",
            b" ",
            b"\\",
            b"0.5",
            b"1",
            b"-",
            b"\xc3",
            b"NaN",
        ),
        *(b'{"":0.5}', b'{"":0.5', b'"run": ', b'"checkpoint": ', b"\\u12", b"\\ud800", b'"run"'),
        *(
            RUN_SPAN,
            CHECKPOINT_SPAN,
            RUN_THERE,
            RUN_SPAN[:-1],
            b', "run": 1',
            b"{}",
            b"tru",
            b"true",
        ),
    ]
)
PLACES = st.integers(0, len(WHOLE)) | st.sampled_from(
    [
        WHOLE.index(each) + off
        for each in (b'"run"', RUN_SPAN, b'"lists"', b"a text", b"1}")
        for off in (-2, -1, 0, 1)
    ]
)


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """A document with some pieces put in, taken out or in the place of others."""
    data = draw(st.sampled_from([WHOLE, WHOLE, COMPACT]))
    for _ in range(draw(st.integers(0, 4))):
        at, cut = draw(PLACES), draw(st.sampled_from([0, 0, 1, 2, 7, len(RUN_SPAN)]))
        data = data[:at] + draw(PIECES | st.just(b"")) + data[at + cut :]
    return data


@settings(max_examples=300)
@given(st.lists(documents(), min_size=1, max_size=4))
def test_a_document_is_read_as_if_it_were_the_first(given_: list[bytes]) -> None:
    forget()
    known(WHOLE)
    for each in given_:
        assert said(known, each) == said(canonical.loads, each)


VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["run", "checkpoint", "a", ""]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.lists(VALUES, min_size=2, max_size=5), st.booleans())
def test_values_with_what_is_shared_anywhere_are_the_same(
    values: list[Json], is_wide: bool
) -> None:
    shared = [{"long": LONG, "value": value} for value in values[:2]]
    for value in values:
        for beside in shared:
            document = {"a": value, "run": beside, "b": [value, {"checkpoint": shared[0]}]}
            data = json.dumps(document, separators=None if is_wide else (",", ":")).encode()
            assert said(known, data) == said(canonical.loads, data)
