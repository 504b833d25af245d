# SPDX-License-Identifier: Apache-2.0
"""Deny by default: every address of the project is walked, and each way to write asks who calls."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from django.views import View
from rest_framework.permissions import SAFE_METHODS, AllowAny
from rest_framework.test import APIClient, APIRequestFactory
from rest_framework.views import APIView

from registry.accounts.queries import Scope
from registry.api.permissions import ReadOnly
from tests.registry.people import People, client_of

WRITES = ("post", "put", "patch", "delete")
# What anybody may write to, and why that is right (docs/spec/http.md).
OPEN_TO_ANYBODY = {
    "timestamp": "an RFC 3161 authority stamps for everyone; it learns and keeps nothing",
    "api/v1/timestamp": "the same, where Sigstore's clients look for it",
    "api/v2/signingCert": "the identity token in the body says who asks",
    "api/v2/log/entries": "an entry is taken only if a certificate of this registry signed it",
    "auth/token": "the code in the body, which a person signed in for, says who asks",
    "api/v1/projects/<str:owner>/<str:project>/publishing-token": "as signingCert",
    "api/validate-yaml": "it reads what it is sent, and keeps nothing",
    "api/v1/detect": "the same",
    "api/v1/detect/picture": "the same",
    "c2pa/matches/byBinding": "the same, of a mark that whoever has the file could read",
    "c2pa/matches/byContent": "the same, of the file",
    "oauth/device": "a program asks to be let in; a person who is signed in decides",
    "oauth/token": "the secret in the body, which that person has allowed, says who asks",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One entry of the URLconf."""

    route: str
    view: type[View] | None
    writes: tuple[str, ...]

    @property
    def is_api(self) -> bool:
        """A view of REST framework."""
        return self.view is not None and issubclass(self.view, APIView)

    @property
    def example(self) -> str:
        """A path that leads here."""
        path = re.sub(r"<uuid:\w+>", "00000000-0000-4000-8000-000000000000", self.route)
        return "/" + re.sub(r"<(?:\w+:)?\w+>", "1", path)


def addresses(resolver: URLResolver, before: str = "") -> Iterator[Address]:
    for entry in resolver.url_patterns:
        route = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from addresses(entry, route)
            continue
        assert isinstance(entry, URLPattern)
        view = getattr(entry.callback, "cls", None) or getattr(entry.callback, "view_class", None)
        writes = tuple(verb for verb in WRITES if view is not None and hasattr(view, verb))
        yield Address(route=route, view=view, writes=writes)


EVERY = tuple(addresses(get_resolver()))
API_WRITES = [
    pytest.param(address, verb, id=f"{verb} {address.route}")
    for address in EVERY
    if address.is_api
    for verb in address.writes
]
POSTS = [address for address in EVERY if address.is_api and "post" in address.writes]


def test_the_walk_finds_the_api() -> None:
    routes = {address.route for address in EVERY}
    assert {"api/v1/tokens", "events", "login"} <= routes


@pytest.mark.parametrize(("address", "verb"), API_WRITES)
def test_a_write_of_the_api_refuses_anybody(address: Address, verb: str) -> None:
    """Asked of the view's own permissions, for no body or object can then make a difference."""
    if address.route in OPEN_TO_ANYBODY:
        return
    assert address.view is not None
    view = address.view()
    assert isinstance(view, APIView)
    request = view.initialize_request(getattr(APIRequestFactory(), verb)("/"))
    view.request, view.args, view.kwargs, view.format_kwarg = request, (), {}, None
    permissions = view.get_permissions()
    assert permissions, "expected permission classes, found none"
    assert not any(isinstance(one, AllowAny) for one in permissions)
    refused = [one for one in permissions if not one.has_permission(request, view)]
    assert refused, f"expected a permission that refuses anybody to {verb}, found {permissions}"


# The answer has a secret, which nothing here keeps; or only a person in a browser asks; or nothing
# is changed.
WITHOUT_A_KEY = {
    "api/v1/detect",
    "api/v1/detect/picture",
    "api/v1/period-exports",
    "api/v1/tokens",
    "api/v1/projects/<str:owner>/<str:project>/takedown",
    "api/v1/projects/<str:owner>/<str:project>/checkpoints/<str:checkpoint>/takedown",
    "api/v1/organisations",
    "api/v1/reports",
    "api/v1/webhooks",
    "api/v1/webhooks/<uuid:hook_id>/deliveries",
    "api/v1/webhooks/<uuid:hook_id>/on",
    "api/v1/webhooks/<uuid:hook_id>/secret",
    "api/v1/projects/<str:owner>/<str:project>/publishers",
    "api/v1/projects/<str:owner>/<str:project>/publishing-token",
    "c2pa/matches/byBinding",
    "c2pa/matches/byContent",
}


@pytest.mark.parametrize("address", POSTS, ids=lambda a: a.route)
def test_every_post_of_the_api_heeds_an_idempotency_key(people: People, address: Address) -> None:
    """A key that is none is refused before anything else about the request is looked at."""
    client = client_of(people.alice, *Scope.values)
    answer = client.post(address.example, {}, headers={"Idempotency-Key": ""})
    is_heeded = answer.json()["code"] == "idempotency-key-invalid"
    assert is_heeded is (address.route not in WITHOUT_A_KEY)


@pytest.mark.parametrize("address", [a for a in EVERY if a.view is None], ids=lambda a: a.route)
def test_a_plain_function_only_reads(db: None, address: Address) -> None:
    """Views that are functions are not asked for permissions: nobody in particular writes there.

    Those of the Hub's protocol ask for a token themselves, and 401 for one.
    """
    if address.route in OPEN_TO_ANYBODY:
        return
    for verb in WRITES:
        answer = getattr(APIClient(enforce_csrf_checks=True), verb)(address.example)
        assert answer.status_code in {401, 403, 404, 405}, f"{verb} {address.route}"


class Written(APIView):
    """Takes every method, and says nothing of who may."""

    get = post = put = patch = delete = View.http_method_not_allowed


def test_reading_is_the_default_and_only_reading() -> None:
    permission, view = ReadOnly(), Written()
    for verb in ("get", "head", "options", *WRITES):
        request = view.initialize_request(getattr(APIRequestFactory(), verb)("/"))
        assert permission.has_permission(request, view) is (verb.upper() in SAFE_METHODS)


@pytest.mark.parametrize("verb", WRITES)
def test_what_an_address_does_not_take_is_no_question_of_who_may(people: People, verb: str) -> None:
    for client in (client_of(None), client_of(people.alice, Scope.PUBLISH)):
        answer = getattr(client, verb)("/api/v1/projects")
        assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")
        assert "POST" not in answer["Allow"]
