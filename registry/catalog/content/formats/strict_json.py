# SPDX-License-Identifier: Apache-2.0
"""JSON files of a checkpoint (configuration, tokenizer): one reading only, and bounded work.

Unlike signed documents they may hold fractions; unlike request bodies they may be large.
"""

from __future__ import annotations

import json
import math
from itertools import accumulate
from typing import NoReturn

from .refused import Refused

MAX_BYTES = 32 * 1024 * 1024  # tokenizer.json of the largest vocabularies is about 17 MB
MAX_DEPTH = 32
MAX_MEMBERS = 2_000_000  # bounds the memory of the parsed value; a large tokenizer has 500,000
MAX_NUMBER_CHARACTERS = 40
QUOTES_OF_A_MEMBER = 4  # of its key, and of its value
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_NO_BRACKETS = bytes(set(range(256)) - set(_STEPS))
_DIGITS = frozenset(b"0123456789")
_ZEROS = bytes(ord("0") if byte in _DIGITS else ord(" ") for byte in range(256))


def parse(content: bytes, *, max_depth: int = MAX_DEPTH, max_members: int = MAX_MEMBERS) -> object:
    """The value; raises Refused for duplicate keys, NaN, other encodings, and what is too much."""
    if content.count(b",") >= max_members:
        raise Refused(f"JSON of at most {max_members} members", "more")
    _check_depth(content, max_depth, max_members)
    try:
        value: object = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_float=_float,
            parse_int=_integer if _has_long_run(content) else None,
        )
    except UnicodeDecodeError as error:
        found = f"byte 0x{content[error.start]:02x} at offset {error.start}"
        raise Refused("JSON in UTF-8", found) from error
    except json.JSONDecodeError as error:
        found = f"{error.msg} at line {error.lineno}, column {error.colno}"
        raise Refused("JSON", found) from error
    return value


def _check_depth(content: bytes, max_depth: int, max_members: int) -> None:
    """Before the parser runs: its recursion would end in a RecursionError."""
    brackets = _outside_strings(content, max_members).translate(None, delete=_NO_BRACKETS)
    if max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > max_depth:
        raise Refused(f"JSON of at most {max_depth} levels", "more")


def _outside_strings(content: bytes, max_members: int) -> bytes:
    """Brackets in strings do not count. Right up to where the parser ends, if this is no JSON.

    Without escaped backslashes and quotes, in this order, each quote left begins a string or ends
    one. A backslash outside strings misleads about what follows it, which nobody parses.
    """
    if b"\\" in content:
        content = content.replace(rb"\\", b"").replace(rb"\"", b"")
    if content.count(b'"') > QUOTES_OF_A_MEMBER * max_members:  # or the pieces take much memory
        raise Refused(f"JSON of at most {max_members} members", "more quotes than they have")
    return b"".join(content.split(b'"')[::2])


def _has_long_run(content: bytes) -> bool:
    """Whether a number may be too long; without one integers are parsed in C, a call less each."""
    return b"0" * MAX_NUMBER_CHARACTERS in content.translate(_ZEROS)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise Refused("each key once", f"{key[:60]!a} twice")
            seen.add(key)
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise Refused("JSON", f"{name}, which JSON does not have")


def _float(text: str) -> float:
    number = float(text) if len(text) <= MAX_NUMBER_CHARACTERS else math.inf
    if not math.isfinite(number):
        raise Refused("a number that a double can hold", text[:MAX_NUMBER_CHARACTERS])
    return number


def _integer(text: str) -> int:
    if len(text) > MAX_NUMBER_CHARACTERS:  # int() is quadratic in the digits
        raise Refused(f"a number of at most {MAX_NUMBER_CHARACTERS} characters", "a longer one")
    return int(text)
