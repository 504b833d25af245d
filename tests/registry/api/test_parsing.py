# SPDX-License-Identifier: Apache-2.0
"""The strict parser: hostile JSON is refused with a reason, quickly, and before any view runs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from django.test import override_settings
from django.urls import path
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

from registry.api.parsing import MAX_BODY_BYTES, MAX_DEPTH, parse
from registry.api.problems import InvalidRequest, TooLarge


class Echo(APIView):
    """Says what it was told."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def post(self, request: Request) -> Response:
        return Response(request.data)


urlpatterns = [path("echo", Echo.as_view())]


@pytest.fixture(autouse=True)
def _these_views() -> Iterator[None]:
    with override_settings(ROOT_URLCONF=__name__):
        yield


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def test_json_comes_through_as_it_is() -> None:
    value = {"a": [1, -1.5, True, None, "ü\n\\", {"[{": "]"}], "n": 2**53 - 1, "e": 1e300}
    assert parse(json.dumps(value).encode()) == value
    assert parse(nested(MAX_DEPTH)) is not None
    assert parse(b'"\\"['.join([b"[", b'"]'])) == ['"[']


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b" ", "expected JSON"),
        (b"{", "expected JSON"),
        (b'{"a":1', "expected JSON"),
        (b'{"a":1}}', "Extra data"),
        (b"{'a':1}", "double quotes"),
        (b'"text"', "JSON object, found str"),
        (b"1", "JSON object, found int"),
        (b"null", "JSON object, found NoneType"),
        (b'{"a":NaN}', "found NaN"),
        (b'{"a":-Infinity}', "found -Infinity"),
        (b'{"a":1e999}', "a double can hold, found 1e999"),
        (b'{"a":9007199254740992}', "found 9007199254740992"),
        (b'{"a":-9007199254740992}', "whole number"),
        (b'{"a":' + b"9" * 100_000 + b"}", "whole number"),
        (b'{"a":1,"b":2,"a":3}', "found 'a' twice"),
        (b'{"a":"\\u0000"}', "without NUL"),
        (b'{"a\\u0000":1}', "without NUL"),
        (b'{"a":["\\ud800"]}', "surrogate"),
        (b'{"a":"\x01"}', "Invalid control character"),
        (b'{"a":"\xff"}', "expected UTF-8, found byte 0xff at offset 6"),
        (b"\xef\xbb\xbf{}", "expected JSON"),
        (nested(MAX_DEPTH + 1), "at most 32 levels"),
        (nested(500_000), "at most 32 levels"),
        (b'{"a":' * 100_000, "at most 32 levels"),
    ],
)
def test_anything_else_is_refused_with_a_reason(body: bytes, found: str) -> None:
    answer = APIClient().post("/echo", body, content_type="application/json")
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (400, "invalid-request")
    assert answer["Content-Type"] == "application/problem+json"
    assert found in problem["detail"]


def test_a_body_that_is_too_large_is_refused() -> None:
    with pytest.raises(TooLarge, match=str(MAX_BODY_BYTES)):
        parse(b" " * (MAX_BODY_BYTES + 1))


@pytest.mark.parametrize(
    "body",
    [
        b"{" + b",".join(b'"%d":0' % n for n in range(300_000)) + b',"299999":0}',
        b'\\"' * 4_000_000,
        b'"' * 8_000_000,
        b'{"a":"' + b"\\\\" * 4_000_000,
        b"[1," * 20_000,
    ],
)
def test_no_body_makes_the_parser_slow(body: bytes) -> None:
    begun = time.process_time()
    with pytest.raises(InvalidRequest):
        parse(body)
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "text/json"])
def test_only_json_is_taken(kind: str) -> None:
    answer = APIClient().post("/echo", b"{}", content_type=kind)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")
