# SPDX-License-Identifier: Apache-2.0
"""CBOR (RFC 8949), and of it what a C2PA claim is made of: every length said, no floats.

What else the format allows (indefinite lengths, floats, other simple values) is refused: whoever
signs such bytes must be sure that everybody reads them alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from .errors import InvalidDocument

MAX_DEPTH = 16  # a claim has five levels
_SIMPLE: dict[int, bool | None] = {20: False, 21: True, 22: None}  # RFC 8949, 3.3
_SIMPLES = {value: number for number, value in _SIMPLE.items()}
_TEXT, _OTHER = 3, 7  # major types, RFC 8949, 3.1
_LENGTHS = {24: 1, 25: 2, 26: 4, 27: 8}  # bytes of a number that follows, RFC 8949, 3


@dataclass(frozen=True, slots=True)
class Tagged:
    """A value with the number that says what it is (RFC 8949, 3.4)."""

    number: int
    value: object


def loads(data: bytes) -> object:
    """The one value that these bytes are: numbers, texts, bytes, lists, dicts, `Tagged`, None.

    Raises InvalidDocument.
    """
    value, end = _read(data, 0, MAX_DEPTH)
    if end != len(data):
        raise InvalidDocument("cbor", f"an end at byte {end}", f"{len(data) - end} bytes more")
    return value


def dumps(value: object) -> bytes:
    """A value that `loads` reads, each number in as few bytes as can be (RFC 8949, 4.1).

    Maps keep the order of their keys. Raises TypeError for what is no such value.
    """
    kind, number, content = _taken_apart(value)
    if number < min(_LENGTHS):
        return bytes([kind << 5 | number]) + content
    for short, size in _LENGTHS.items():
        if number < 1 << 8 * size:
            return bytes([kind << 5 | short]) + number.to_bytes(size, "big") + content
    raise TypeError(f"expected a number of 64 bits, found {number}")


def _taken_apart(value: object) -> tuple[int, int, bytes]:
    """Its kind, its number (a count, a length, itself), and the bytes that follow."""
    kind, number, content = _OTHER, 0, b""
    match value:
        case None | bool():
            number = _SIMPLES[value]
        case int():
            kind, number = (0, value) if value >= 0 else (1, -1 - value)
        case bytes():
            kind, number, content = 2, len(value), value
        case str():
            content = value.encode()
            kind, number = _TEXT, len(content)
        case list():
            items = cast("list[object]", value)
            kind, number, content = 4, len(items), b"".join(map(dumps, items))
        case dict():
            pairs = cast("dict[object, object]", value).items()
            content = b"".join(dumps(key) + dumps(each) for key, each in pairs)
            kind, number = 5, len(pairs)
        case Tagged():
            kind, number, content = 6, value.number, dumps(value.value)
        case _:
            raise TypeError(f"expected a value that CBOR is read as here, found {type(value)}")
    return kind, number, content


def _read(data: bytes, at: int, levels: int) -> tuple[object, int]:
    if levels == 0:
        raise InvalidDocument("cbor", f"at most {MAX_DEPTH} levels", "more")
    kind, number, at = _head(data, at)
    match kind:
        case 0 | 1:
            return (-1 - number if kind else number), at
        case 2 | 3:
            return _string(data, at, number, is_text=kind == _TEXT)
        case 4:
            return _array(data, at, number, levels)
        case 5:
            return _map(data, at, number, levels)
        case 6:
            value, at = _read(data, at, levels - 1)
            return Tagged(number, value), at
        case _:
            return _SIMPLE[number], at


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    """What kind of value begins here, its number (a length, a count, itself), and what follows."""
    first = _bytes(data, at, 1)[0]
    kind, short, at = first >> 5, first & 31, at + 1
    if kind == _OTHER and short not in _SIMPLE:
        raise InvalidDocument("cbor", "true, false or null", f"simple value {short}")
    if short < min(_LENGTHS) or kind == _OTHER:
        return kind, short, at
    if short not in _LENGTHS:
        raise InvalidDocument("cbor", "a length", f"additional information {short}")
    size = _LENGTHS[short]
    return kind, int.from_bytes(_bytes(data, at, size), "big"), at + size


def _string(data: bytes, at: int, length: int, *, is_text: bool) -> tuple[object, int]:
    found = _bytes(data, at, length)
    if not is_text:
        return found, at + length
    try:
        return found.decode("utf-8"), at + length
    except UnicodeDecodeError as error:
        raise InvalidDocument("cbor", "UTF-8", error.reason) from error


def _array(data: bytes, at: int, count: int, levels: int) -> tuple[object, int]:
    _check_room(data, at, count)
    items: list[object] = []
    for _ in range(count):
        item, at = _read(data, at, levels - 1)
        items.append(item)
    return items, at


def _map(data: bytes, at: int, count: int, levels: int) -> tuple[object, int]:
    _check_room(data, at, count)
    found: dict[str | int, object] = {}
    for _ in range(count):
        key, at = _read(data, at, levels - 1)
        if not isinstance(key, str | int) or isinstance(key, bool):
            raise InvalidDocument("cbor", "a text or a number as a key", type(key).__name__)
        if key in found:
            raise InvalidDocument("cbor", "each key once", f"{key!a} twice")
        found[key], at = _read(data, at, levels - 1)
    return found, at


def _check_room(data: bytes, at: int, count: int) -> None:
    """Each item takes a byte at least, so that a short message cannot announce a long list."""
    if count > len(data) - at:
        raise InvalidDocument("cbor", f"at most {len(data) - at} items", f"{count}")


def _bytes(data: bytes, at: int, length: int) -> bytes:
    found = data[at : at + length]
    if len(found) != length:
        raise InvalidDocument("cbor", f"{length} bytes at {at}", f"{len(found)}")
    return found
