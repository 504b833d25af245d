# SPDX-License-Identifier: Apache-2.0
"""JSON as Assay writes and reads it: RFC 8785 on the way out, one strict reading on the way in.

The getters below parse one field each and raise `InvalidDocument`, which names the field, what was
expected and what was found. They serve every document; the formats themselves are in the modules
that own them.
"""

from __future__ import annotations

import binascii
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import NoReturn, TypeAlias, TypeVar, cast

from .digests import is_digest
from .errors import InvalidDocument
from .values import dataclass

T = TypeVar("T")
Obj: TypeAlias = Mapping[str, object]
_Plain: TypeAlias = "bool | int | str | list[_Plain] | dict[str, _Plain] | None"

MAX_BYTES = 8 << 20
MAX_DEPTH = 32
PART_DEPTH = MAX_DEPTH // 2  # of a value read by itself, and of what is around it: together no more
MAX_INTEGER = 2**53 - 1  # RFC 8785: what a JSON number holds exactly
MAX_INTEGER_DIGITS = 17  # sixteen digits and a sign
FOUND_CHARACTERS = 80

_BASE64_BYTES = 3  # that four characters say
_HALVES = (b"ud", b"uD")  # an escape can smuggle in half a surrogate pair, which no UTF-8 holds
_OPENING, _CLOSING = b"[{", b"]}"
_NO_BRACKETS = bytes(set(range(256)) - {*_OPENING, *_CLOSING})
_FRACTION = "0.5"  # no strict document has one
_HOLE = b'{"":0.5}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Where in a document an object stands that was read before, and its value."""

    start: int
    end: int
    value: object


def dumps(value: object) -> bytes:
    """The canonical bytes of a value of objects, arrays, strings, integers, booleans and null.

    Of such values the standard library writes strings and integers as RFC 8785, 3.2.2 has them,
    some twenty times as quickly as Python code could; the order of names is ours (`_in_order`).
    """
    text = _IN_ORDER.encode(_plain(value, MAX_DEPTH))
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        found = ascii(text[error.start : error.end])
        raise InvalidDocument("value", "text that UTF-8 can hold", found) from error


def loads(
    data: bytes,
    *,
    max_bytes: int = MAX_BYTES,
    max_depth: int = MAX_DEPTH,
    has_fractions: bool = False,
) -> object:
    """Parse strictly: UTF-8, unique keys, integers in ±(2^53 - 1), no deeper, no longer.

    `has_fractions` is for documents of others, whose formats let unknown fields hold anything.
    """
    if len(data) > max_bytes:
        raise InvalidDocument("document", f"at most {max_bytes} bytes", f"{len(data)}")
    return _read(data, _WITH_FRACTIONS if has_fractions else _STRICT, max_depth)


def loads_around(data: bytes, known: Sequence[Known]) -> object:
    """What `loads` says of a document that has objects in it which were read by themselves before.

    They are given in order, each as `loads` reads it at PART_DEPTH. Raises InvalidDocument where
    `loads` does, and for what is deeper around them; where in the document a mistake is, it cannot
    say.

    In the place of each stands a hole. After `{` its two quotes in a row are a mistake wherever no
    value may stand, in a string too; and as a fraction stands nowhere else, the n-th that is met is
    in the n-th hole. So a document with holes that is read is one with any objects in them.
    """
    if len(data) > MAX_BYTES:
        raise InvalidDocument("document", f"at most {MAX_BYTES} bytes", f"{len(data)}")
    around: list[bytes] = []
    after = 0
    for each in known:
        around.append(data[after : each.start])
        after = each.end
    left = iter(known)

    def filling(fraction: str) -> Known:
        found = next(left, None) if fraction == _FRACTION else None
        return found or _refuse_number(fraction)

    reader = json.JSONDecoder(
        object_pairs_hook=_filled,
        parse_int=_integer,
        parse_float=filling,
        parse_constant=_refuse_number,
    )
    return _read(_HOLE.join((*around, data[after:])), reader, PART_DEPTH)


def loads_canonical(data: bytes) -> object:
    """Parse bytes that must be in canonical form already, so that each value has one digest."""
    value = loads(data)
    # Of ASCII names the code points are the UTF-16 code units; the rest was checked when read.
    written = _SORTED.encode(value).encode("ascii", "replace") if data.isascii() else dumps(value)
    if written != data:
        raise InvalidDocument("document", "the canonical form of RFC 8785", "another form")
    return value


def text(obj: Obj, field: str, *, max_characters: int = 4096) -> str:
    """A string that is not empty."""
    value = _get(obj, field)
    if not isinstance(value, str) or not 0 < len(value) <= max_characters:
        _refuse(field, f"a string of 1 to {max_characters} characters", value)
    return value


def integer(obj: Obj, field: str, *, minimum: int = 0, maximum: int = MAX_INTEGER) -> int:
    """An integer within bounds; true and false are not integers."""
    value = _get(obj, field)
    if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
        _refuse(field, f"an integer from {minimum} to {maximum}", value)
    return value


def sha256_hex(obj: Obj, field: str) -> str:
    """A digest: 64 lower-case hexadecimal characters."""
    value = _get(obj, field)
    if not isinstance(value, str) or not is_digest(value):
        _refuse(field, "64 lower-case hexadecimal characters", value)
    return value


def base64_bytes(obj: Obj, field: str) -> bytes:
    """Bytes in standard padded base64, in the only way in which they can be written."""
    value = _get(obj, field)
    data = base64_decode(value) if isinstance(value, str) else b""
    if not data:
        _refuse(field, "bytes in standard padded base64", value)
    return data


def mapping(obj: Obj, field: str) -> Mapping[str, object]:
    """An object."""
    return as_mapping(_get(obj, field), field)


def items(obj: Obj, field: str, *, maximum: int = 10_000) -> Sequence[object]:
    """An array."""
    value = _get(obj, field)
    if not isinstance(value, (list, tuple)):
        _refuse(field, "an array", value)
    found = cast("Sequence[object]", value)
    if len(found) > maximum:
        raise InvalidDocument(field, f"at most {maximum} items", f"{len(found)}")
    return found


def instant(obj: Obj, field: str) -> datetime:
    """A time: RFC 3339, UTC, whole seconds, `Z`."""
    value = text(obj, field)
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        at = None
    if at is None or at.tzinfo is not UTC or instant_text(at) != value:
        _refuse(field, "a time such as 2026-11-20T09:30:00Z", value)
    return at


def literal(obj: Obj, field: str, expected: str) -> None:
    """A string that can only be one."""
    value = _get(obj, field)
    if value != expected:
        _refuse(field, expected, value)


def nullable(obj: Obj, field: str, get: Callable[[Obj, str], T]) -> T | None:
    """What `get` reads, or None for null; the field itself must be there."""
    return None if _get(obj, field) is None else get(obj, field)


def as_mapping(value: object, field: str) -> Mapping[str, object]:
    """An object, found at `field`."""
    if not isinstance(value, (dict, Mapping)):  # the first is what nearly each one is
        _refuse(field, "an object", value)
    return cast("Mapping[str, object]", value)


def only(obj: Obj, *fields: str) -> None:
    """Refuse fields that the format does not know: they would be signed and never checked."""
    for field in obj:
        if field not in fields:
            raise InvalidDocument(_shown(field), "no such field", "one")


class _Within:
    """A context manager written out: it takes a third of what `contextlib` makes of a generator."""

    __slots__ = ("_prefix",)

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, InvalidDocument):
            raise error.under(self._prefix) from error


def within(prefix: str) -> AbstractContextManager[None]:
    """Name the fields of an inner document from the outer one."""
    return _Within(prefix)


def base64_text(data: bytes) -> str:
    """Standard padded base64."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def base64_decode(value: str) -> bytes:
    """Bytes from standard padded base64 in its only canonical form; nothing if it is not that."""
    try:
        data = binascii.a2b_base64(value, strict_mode=True)
    except ValueError:  # binascii.Error is one, and so is text that is not ASCII
        return b""
    # Strictly read, only the last four characters can say the same in another way.
    end = data[-(len(data) % _BASE64_BYTES or _BASE64_BYTES) :]
    return data if value.endswith(base64_text(end)) else b""


def instant_text(at: datetime) -> str:
    """A time in UTC, to the whole second below it."""
    return at.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def _get(obj: Obj, field: str) -> object:
    if field not in obj:
        raise InvalidDocument(field, "a value", "no such field")
    return obj[field]


def _refuse(field: str, expected: str, value: object) -> NoReturn:
    raise InvalidDocument(field, expected, _shown(value))


def _shown(value: object) -> str:
    """A value as an error message may show it: one short line of ASCII."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case str():
            shown = ascii(value)
            return shown if len(shown) <= FOUND_CHARACTERS else shown[:FOUND_CHARACTERS] + "…"
        case Mapping():
            return "an object"
        case _:
            return "an array"


def _read(data: bytes, reader: json.JSONDecoder, max_depth: int) -> object:
    pieces = data.split(b"\\")
    _check_depth(pieces, max_depth)
    try:
        value: object = reader.decode(data.decode("utf-8"))
        if any(piece[:2] in _HALVES for piece in pieces):
            _IN_ORDER.encode(value).encode("utf-8")
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise InvalidDocument("document", "UTF-8 text", error.reason) from error
    except json.JSONDecodeError as error:
        raise InvalidDocument("document", "JSON", f"a mistake at character {error.pos}") from error
    return value


def _check_depth(pieces: list[bytes], max_depth: int) -> None:
    """Of a document that was cut at its backslashes.

    As far as a reader gets: a quote or a backslash in the wrong place ends its reading.
    """
    outside_strings = b"".join(_unescaped(pieces).split(b'"')[::2])
    depth = 0
    for bracket in outside_strings.translate(None, _NO_BRACKETS):
        depth += 1 if bracket in _OPENING else -1
        if depth > max_depth:
            raise InvalidDocument("document", f"at most {max_depth} levels", "more")


def _unescaped(pieces: list[bytes]) -> bytes:
    """The document without what is escaped. Two backslashes in a row have an empty piece between.

    Of those the second is what is escaped, and nothing of the piece behind it is.
    """
    left = iter(pieces)
    kept = [next(left)]
    kept.extend(piece[1:] if piece else next(left, b"") for piece in left)
    return b"".join(kept)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        name = next(name for name, _ in pairs if found.pop(name, pairs) is pairs)
        raise InvalidDocument(_shown(name), "one such field", "several")
    return found


def _filled(pairs: list[tuple[str, object]]) -> object:
    if len(pairs) == 1 and isinstance(pairs[0][1], Known):
        return pairs[0][1].value
    return _unique(pairs)


def _read_before(_: object) -> None:
    """What is in a hole holds no half of a pair: that was looked at when it was read."""


def _integer(digits: str) -> int:
    value = int(digits) if len(digits) <= MAX_INTEGER_DIGITS else MAX_INTEGER + 1
    if abs(value) > MAX_INTEGER:
        _refuse_number(digits)
    return value


def _refuse_number(number: str) -> NoReturn:
    shown = number[:FOUND_CHARACTERS]
    raise InvalidDocument("number", "an integer within ±(2^53 - 1)", shown)


def _in_order(names: Iterable[object]) -> list[str]:
    """RFC 8785, 3.2.3: by their UTF-16 code units, which is how ASCII sorts by itself."""
    keys = [name if isinstance(name, str) else _refuse("key", "a string", name) for name in names]
    return sorted(keys) if "".join(keys).isascii() else sorted(keys, key=_utf16)


def _utf16(name: str) -> bytes:
    return name.encode("utf-16-be", "surrogatepass")  # half a pair is refused with all else


def _plain(value: object, levels: int) -> _Plain:
    """The same value in plain dicts and lists, refusing what strict reading would refuse."""
    match value:
        case str() | None | bool():
            return value
        case int():
            return value if abs(value) <= MAX_INTEGER else _refuse_number(str(value))
        case dict() | Mapping() if levels:
            pairs = cast("Mapping[object, object]", value)
            return {name: _plain(pairs[name], levels - 1) for name in _in_order(pairs)}
        case list() | tuple() if levels:
            inners = cast("Sequence[object]", value)
            return [_plain(inner, levels - 1) for inner in inners]
        case _:
            raise InvalidDocument(
                "value",
                "a string, integer, boolean, null, object or array, at most 32 levels deep",
                type(value).__name__,
            )


_STRICT = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_int=_integer,
    parse_float=_refuse_number,
    parse_constant=_refuse_number,
)
_WITH_FRACTIONS = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=float, parse_constant=_refuse_number
)
_IN_ORDER = json.JSONEncoder(
    ensure_ascii=False,
    check_circular=False,
    separators=(",", ":"),
    default=_read_before,
)
_SORTED = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, separators=(",", ":"), sort_keys=True
)
