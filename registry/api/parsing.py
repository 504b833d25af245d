# SPDX-License-Identifier: Apache-2.0
"""The strict JSON parser: what PostgreSQL, canonical JSON or a stack could trip over is refused."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from itertools import accumulate
from typing import IO, Any, NoReturn, cast

from rest_framework.parsers import BaseParser

from .problems import InvalidRequest, TooLarge

# docs/spec/http.md; asgi.py lets 8 MiB through on the routes that take a manifest only.
MAX_BODY_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 32
MAX_INTEGER = 2**53 - 1  # what RFC 8785 and JavaScript can both write exactly
MAX_INTEGER_CHARACTERS = 17  # a sign and 16 digits; int() is slow on long ones
# A string, so that brackets inside it do not count. One that never ends matches too: if it did not,
# the search would start again at each of its quotes.
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_NO_BRACKETS = bytes(set(range(256)) - set(_STEPS))
# NUL cannot be stored in PostgreSQL's text; half of a surrogate pair cannot be written as UTF-8.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class StrictJSONParser(BaseParser):
    """application/json and nothing else; a body that is no JSON object or array is refused too."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, object] | None = None,
    ) -> dict[Any, Any]:
        """The body's value (a list is one too, whatever the base class declares)."""
        del media_type, parser_context
        body = stream.read(MAX_BODY_BYTES + 1)
        return cast("dict[Any, Any]", parse(body))


def parse(body: bytes) -> dict[str, object] | list[object]:
    """The value of a JSON text; raises InvalidRequest or TooLarge, saying what was expected."""
    if len(body) > MAX_BODY_BYTES:
        raise TooLarge(f"expected at most {MAX_BODY_BYTES} bytes of JSON, found more")
    _check_depth(body)
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_float=_float,
            parse_int=_integer,
        )
    except UnicodeDecodeError as error:
        raise InvalidRequest(
            f"expected UTF-8, found byte 0x{body[error.start]:02x} at offset {error.start}"
        ) from error
    except json.JSONDecodeError as error:
        raise InvalidRequest(
            f"expected JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from error
    if not isinstance(value, dict | list):
        raise InvalidRequest(f"expected a JSON object, found {type(value).__name__}")
    _check_strings(value)
    return value


def _check_depth(body: bytes) -> None:
    """Before the real parser runs: its recursion would end in a RecursionError."""
    brackets = _STRING.sub(b"", body).translate(None, delete=_NO_BRACKETS)
    if max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > MAX_DEPTH:
        raise InvalidRequest(f"expected at most {MAX_DEPTH} levels of nesting, found more")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members: dict[str, object] = {}
    for key, value in pairs:
        if key in members:
            raise InvalidRequest(f"expected each key once, found {key[:60]!r} twice")
        members[key] = value
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidRequest(f"expected JSON, found {name}, which JSON does not have")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise InvalidRequest(f"expected a number that a double can hold, found {text[:40]}")
    return number


def _integer(text: str) -> int:
    if len(text) > MAX_INTEGER_CHARACTERS or abs(int(text)) > MAX_INTEGER:
        raise InvalidRequest(
            f"expected a whole number between -(2^53 - 1) and 2^53 - 1, found {text[:40]}"
        )
    return int(text)


def _check_strings(value: object) -> None:
    match value:
        case str():
            if _UNSTORABLE.search(value):
                raise InvalidRequest(
                    "expected text without NUL and without half surrogate pairs, found one"
                )
        case dict():
            for key, inner in value.items():
                _check_strings(key)
                _check_strings(inner)
        case list():
            for inner in value:
                _check_strings(inner)
        case _:
            return
