# SPDX-License-Identifier: Apache-2.0
"""A battery against every address: whatever is sent, the answer is a refusal and never a fault."""

from __future__ import annotations

import re
from itertools import product
from urllib.parse import quote

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from registry.accounts.queries import Scope
from tests.registry.people import People, client_of
from tests.thorough import thorough

pytestmark = thorough

PARAMETER = re.compile(r"<(?:(?P<kind>\w+):)?\w+>")
UUID = "00000000-0000-4000-8000-000000000000"
VALUES = {
    "int": ("0", "9223372036854775808", "9" * 300),
    "uuid": (UUID,),
    "slug": ("a", "-" * 300),
}
TEXTS = (
    "a",
    "%00",
    "..",
    "a" * 3_000,
    "%ff%fe",
    quote("💥\u202e\n"),
    quote("'\";--{{7*7}}"),
    "sha256:" + "0" * 64,
    "0" * 64,
)
QUERIES = (
    "cursor=x",
    "cursor=%00",
    "page=0",
    "page=" + "9" * 300,
    "page_size=-1",
    "after=x&topics=a:1",
)
JUNK: tuple[object, ...] = (None, "", "💥" * 300, -1, 2**53 - 1, 1.5, True, [], {}, [[]], {"a": {}})


def routes(resolver: URLResolver, before: str = "") -> list[str]:
    found = []
    for entry in resolver.url_patterns:
        route = before + str(entry.pattern)
        found += routes(entry, route) if isinstance(entry, URLResolver) else [route]
        assert isinstance(entry, URLResolver | URLPattern)
    return found


EVERY = sorted(set(routes(get_resolver())))


def addresses(route: str) -> list[str]:
    """The route with hostile values in its parameters, all of them the same kind of hostile."""
    kinds = [match["kind"] or "str" for match in PARAMETER.finditer(route)]
    choices = [VALUES.get(kind, TEXTS) for kind in kinds]
    longest = max(map(len, choices), default=1)
    return [_filled(route, [one[index % len(one)] for one in choices]) for index in range(longest)]


def _filled(route: str, values: list[str]) -> str:
    remaining = iter(values)
    return "/" + PARAMETER.sub(lambda _: next(remaining), route)


def check(client: APIClient, method: str, url: str, body: object = None) -> None:
    answer = (
        getattr(client, method)(url, body) if body is not None else getattr(client, method)(url)
    )
    assert answer.status_code not in {500, 502, 504}, f"{method} {url[:200]} {str(body)[:200]}"


@pytest.fixture
def client(people: People) -> APIClient:
    """Alice, with every scope; faults are answers here, not exceptions."""
    made = client_of(people.alice, *Scope.values)
    made.raise_request_exception = False
    return made


@pytest.mark.parametrize("route", EVERY)
def test_reading_hostile_addresses_is_no_fault(route: str, client: APIClient) -> None:
    if route in {"events", "api/v1/schema"}:
        return  # tests of their own; a stream would not end
    for url in addresses(route):
        check(client, "get", url)
    for query in QUERIES:
        check(client, "get", f"{addresses(route)[0]}?{query}")


FIELDS = (
    *("checkpoint", "csr", "data", "days", "digests", "files", "hardware", "id", "label", "losses"),
    *("manifest", "max_new_bytes", "media_type", "name", "node", "owner", "points", "policy"),
    *("prompt", "reason", "recipe", "run", "scopes", "seed", "sha256", "state", "statement"),
    *("step", "temperature", "text", "ticket", "type", "version"),
)


@pytest.mark.parametrize("route", [route for route in EVERY if route.startswith("api/")])
def test_writing_junk_is_no_fault(route: str, client: APIClient) -> None:
    url = addresses(route)[0]
    for method, body in product(("post", "put", "patch", "delete"), ([], {}, [1], {"": 1})):
        check(client, method, url, body)
    for junk in JUNK:
        check(client, "post", url, dict.fromkeys(FIELDS, junk))
