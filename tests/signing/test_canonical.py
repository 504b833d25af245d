# SPDX-License-Identifier: Apache-2.0
"""Canonical JSON: one way to write each value, and one strict reading."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from assay.signing import canonical
from assay.signing.errors import InvalidDocument

KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SCALARS = (
    st.none() | st.booleans() | st.integers(-canonical.MAX_INTEGER, canonical.MAX_INTEGER) | KEYS
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4)
)


@given(VALUES)
def test_what_is_written_reads_back_as_the_same(value: object) -> None:
    data = canonical.dumps(value)
    assert canonical.loads(data) == value
    assert canonical.loads_canonical(data) == value


@given(VALUES)
def test_every_value_is_written_as_by_somebody_elses_code(value: object) -> None:
    assert canonical.dumps(value) == rfc8785.dumps(value)  # type: ignore[arg-type]  # JSON


def test_control_characters_and_names_beyond_the_first_plane_too() -> None:
    text = "".join(map(chr, (*range(0x80), 0x2028, 0xFFFF, 0x1F600)))
    value: dict[str, object] = {
        "\U0001f600": text,
        "\ufb33": [text],
        "\u00f6": {},
        "\r": None,
        "1": "</script>",
    }
    assert canonical.dumps(value) == rfc8785.dumps(value)  # type: ignore[arg-type]  # JSON


@given(VALUES)
def test_the_order_of_fields_does_not_matter(value: object) -> None:
    shuffled = json.loads(json.dumps(value, sort_keys=True))
    assert canonical.dumps(shuffled) == canonical.dumps(value)


# Each compared with all others, the second of the last would take an hour to find.
MANY_FIELDS = b"{" + b",".join(b'"%d":0' % n for n in range(300_000)) + b',"299999":0}'


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b'{"a":1,"a":2}', "'a': expected one such field, found several"),
        (MANY_FIELDS, "'299999': expected one such field, found several"),
        (b"1.0", "found 1.0"),
        (b"1e3", "found 1e3"),
        (b"NaN", "found NaN"),
        (b"-Infinity", "found -Infinity"),
        (b"9007199254740992", "found 9007199254740992"),
        (b"-9007199254740992", "found -9007199254740992"),
        (b"1" * 5000, "found 1111"),
        (b'"\\ud800"', "expected UTF-8 text"),
        (b'{"\\udc00":1}', "expected UTF-8 text"),
        (b'"\xff"', "expected UTF-8 text"),
        (b"\xef\xbb\xbf1", "expected JSON"),
        (b'{"a":1,}', "expected JSON"),
        (b"", "expected JSON"),
        (b"1 2", "expected JSON"),
        (b"'a'", "expected JSON"),
    ],
)
def test_a_strict_reading_refuses(data: bytes, says: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        canonical.loads(data)
    assert says in str(caught.value)


def test_escaped_text_that_utf_8_holds_is_read() -> None:
    assert canonical.loads(b'"\\ud83d\\ude00 \\" [{"') == '😀 " [{'


def test_thirty_two_levels_are_read_and_thirty_three_are_not() -> None:
    assert canonical.loads(b"[" * 32 + b"]" * 32)
    with pytest.raises(InvalidDocument, match="at most 32 levels"):
        canonical.loads(b"[" * 33 + b"]" * 33)


def test_a_deep_document_does_not_exhaust_the_stack() -> None:
    with pytest.raises(InvalidDocument, match="at most 32 levels"):
        canonical.loads(b'{"a":' * 1_000_000)


def test_brackets_in_a_string_have_no_depth() -> None:
    text = "[" * 100 + '"'
    assert canonical.loads(json.dumps(text).encode()) == text


def test_a_string_that_never_ends_is_refused_in_no_time() -> None:
    with pytest.raises(InvalidDocument, match="expected JSON"):
        canonical.loads(b'"' + b'\\"' * 2_000_000)


def test_a_document_over_the_limit_is_refused() -> None:
    assert canonical.loads(b'"aa"', max_bytes=4) == "aa"
    with pytest.raises(InvalidDocument, match="at most 4 bytes, found 5"):
        canonical.loads(b'"aaa"', max_bytes=4)


def test_bytes_in_another_form_are_not_canonical() -> None:
    with pytest.raises(InvalidDocument, match="the canonical form"):
        canonical.loads_canonical(b'{"b":1, "a":2}')


@pytest.mark.parametrize(
    "value", [1.5, b"x", {1: 2}, "\ud800", {"\ud800": 1}, 2**53, {"a": object()}, float("nan")]
)
def test_what_cannot_be_read_is_not_written(value: object) -> None:
    with pytest.raises(InvalidDocument):
        canonical.dumps(value)


def test_what_is_too_deep_is_not_written() -> None:
    value: object = 1
    for _ in range(32):
        value = [value]
    assert canonical.dumps(value)
    with pytest.raises(InvalidDocument, match="32 levels"):
        canonical.dumps({"a": value})


DOCUMENT: canonical.Obj = {
    "text": "x",
    "empty": "",
    "integer": 5,
    "true": True,
    "null": None,
    "digest": "ab" * 32,
    "bytes": "AQI=",
    "loose": "AQJ=",
    "unpadded": "AQI",
    "accented": "é",
    "object": {"a": 1},
    "array": [1, 2],
    "time": "2026-11-20T09:30:00Z",
    "fraction": "2026-11-20T09:30:00.5Z",
    "sloppy": "2026-1-2T09:30:00Z",
    "long": "x" * 200,
}


def test_each_getter_reads_its_kind() -> None:
    assert canonical.text(DOCUMENT, "text") == "x"
    assert canonical.integer(DOCUMENT, "integer") == 5
    assert canonical.sha256_hex(DOCUMENT, "digest") == "ab" * 32
    assert canonical.base64_bytes(DOCUMENT, "bytes") == b"\x01\x02"
    assert canonical.mapping(DOCUMENT, "object") == {"a": 1}
    assert canonical.items(DOCUMENT, "array") == [1, 2]
    assert canonical.instant(DOCUMENT, "time") == datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    assert canonical.nullable(DOCUMENT, "null", canonical.text) is None
    assert canonical.nullable(DOCUMENT, "text", canonical.text) == "x"
    canonical.literal(DOCUMENT, "text", "x")
    canonical.only(DOCUMENT, *DOCUMENT)


@pytest.mark.parametrize(
    ("get", "field", "found"),
    [
        (canonical.text, "absent", "no such field"),
        (canonical.text, "empty", "''"),
        (canonical.text, "integer", "5"),
        (canonical.text, "null", "null"),
        (canonical.integer, "text", "'x'"),
        (canonical.integer, "true", "true"),
        (canonical.sha256_hex, "text", "'x'"),
        (canonical.sha256_hex, "object", "an object"),
        (canonical.base64_bytes, "loose", "'AQJ='"),
        (canonical.base64_bytes, "unpadded", "'AQI'"),
        (canonical.base64_bytes, "accented", "'\\xe9'"),
        (canonical.base64_bytes, "empty", "''"),
        (canonical.base64_bytes, "integer", "5"),
        (canonical.mapping, "array", "an array"),
        (canonical.items, "object", "an object"),
        (canonical.items, "long", "'" + "x" * 79 + "…"),
        (canonical.instant, "text", "'x'"),
        (canonical.instant, "fraction", "'2026-11-20T09:30:00.5Z'"),
        (canonical.instant, "sloppy", "'2026-1-2T09:30:00Z'"),
    ],
)
def test_a_getter_names_the_field_and_what_it_found(
    get: Callable[[canonical.Obj, str], object], field: str, found: str
) -> None:
    with pytest.raises(InvalidDocument) as caught:
        get(DOCUMENT, field)
    assert (caught.value.field, caught.value.found) == (field, found)


def test_numbers_and_lists_have_bounds() -> None:
    with pytest.raises(InvalidDocument, match="an integer from 6 to"):
        canonical.integer(DOCUMENT, "integer", minimum=6)
    with pytest.raises(InvalidDocument, match="to 4, found 5"):
        canonical.integer(DOCUMENT, "integer", maximum=4)
    with pytest.raises(InvalidDocument, match="at most 1 items, found 2"):
        canonical.items(DOCUMENT, "array", maximum=1)


def test_unknown_fields_and_other_constants_are_refused() -> None:
    with pytest.raises(InvalidDocument, match="'text': expected no such field"):
        canonical.only({"text": 1}, "other")
    with pytest.raises(InvalidDocument, match="expected y, found 'x'"):
        canonical.literal(DOCUMENT, "text", "y")


def test_an_inner_field_is_named_with_its_path() -> None:
    with (
        pytest.raises(InvalidDocument, match=r"outer\.inner\.absent: expected a value"),
        canonical.within("outer"),
        canonical.within("inner"),
    ):
        canonical.text({}, "absent")


def test_times_are_written_in_utc_and_whole_seconds() -> None:
    berlin = timezone(timedelta(hours=1))
    at = datetime(2026, 11, 20, 10, 30, 0, 999_999, tzinfo=berlin)
    assert canonical.instant_text(at) == "2026-11-20T09:30:00Z"


@given(st.lists(st.sampled_from([*'[]{}"\\', '\\"', "a", "\\\\"]), max_size=40))
def test_depth_is_counted_as_far_as_a_reader_gets(pieces: list[str]) -> None:
    """Where more brackets are open than may be, no reader is ever asked."""
    text = "".join(pieces)
    deepest = depth = 0
    for token in re.findall(r'"(?:\\.|[^"\\])*(?:"|\\?$)|.', text):
        if token == "\\":  # outside of strings
            break
        depth += (token in "[{") - (token in "]}")
        deepest = max(deepest, depth)
    try:
        canonical.loads(text.encode(), max_depth=2)
    except InvalidDocument as error:
        is_too_deep = "at most 2 levels" in str(error)
        assert is_too_deep or deepest <= 2
    else:
        assert deepest <= 2


def test_half_a_surrogate_pair_is_refused_however_it_is_written() -> None:
    for written in (b'"\\ud800"', b'"\\uD800"', b'"\\uDC00\\ud800"', b'{"a":["\\\\","\\udfff"]}'):
        with pytest.raises(InvalidDocument, match="UTF-8 text"):
            canonical.loads(written)
    assert canonical.loads(b'["\\ud83d\\ude00","\\\\ud800"]') == ["😀", "\\ud800"]
