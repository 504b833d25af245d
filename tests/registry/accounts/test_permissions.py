# SPDX-License-Identifier: Apache-2.0
"""What a view demands: a scope for everything or for writing; sessions have a person's scopes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import override_settings
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

from registry.accounts.permissions import HasScope, ScopeToWrite
from tests.registry.people import People, client_of


class _Both(APIView):
    def get(self, request: Request) -> Response:
        return Response({})

    def post(self, request: Request) -> Response:
        return Response({})


class Closed(_Both):
    """A view that forgot to say who may write."""


class ForNodes(_Both):
    """A view for programs."""

    permission_classes = (HasScope("node"),)


class ForPublishers(_Both):
    """A view that anyone may read."""

    permission_classes = (ScopeToWrite("publish"),)


urlpatterns = [
    path("closed", Closed.as_view()),
    path("nodes", ForNodes.as_view()),
    path("publishers", ForPublishers.as_view()),
]


@pytest.fixture(autouse=True)
def _these_views() -> Iterator[None]:
    with override_settings(ROOT_URLCONF=__name__):
        yield


def session(people: People) -> APIClient:
    client = APIClient()
    client.force_login(people.alice)
    return client


@pytest.mark.parametrize(
    ("url", "method", "anybody_reader_node_publisher_browser"),
    [
        ("/closed", "get", [200, 200, 200, 200, 200]),
        ("/closed", "post", [401, 403, 403, 403, 403]),
        ("/nodes", "get", [401, 403, 200, 403, 403]),
        ("/nodes", "post", [401, 403, 200, 403, 403]),
        ("/publishers", "get", [200, 200, 200, 200, 200]),
        ("/publishers", "post", [401, 403, 403, 200, 200]),
    ],
)
def test_each_method_asks_for_its_scope(
    people: People, url: str, method: str, anybody_reader_node_publisher_browser: list[int]
) -> None:
    callers = [client_of(None)]
    callers += [client_of(people.alice, scope) for scope in ("read", "node", "publish")]
    callers.append(session(people))
    found = [getattr(client, method)(url).status_code for client in callers]
    assert found == anybody_reader_node_publisher_browser


def test_a_refusal_names_the_scope_that_is_missing(people: People) -> None:
    problem = client_of(people.alice, "read", "publish").post("/nodes").json()
    assert problem["code"] == "scope-missing"
    assert problem["detail"] == "expected scope node; this token has publish, read"
    assert "found a session" in session(people).post("/nodes").json()["detail"]


def test_a_refusal_without_credentials_is_a_challenge(people: People) -> None:
    answer = client_of(None).post("/nodes")
    assert answer["WWW-Authenticate"] == 'Bearer realm="assay"'
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "authentication-required"


def test_a_bad_token_is_refused_even_where_anyone_may_read(people: People) -> None:
    client = APIClient(headers={"Authorization": "Bearer assay_typo"})
    answer = client.get("/publishers")
    assert (answer.status_code, answer.json()["code"]) == (401, "token-malformed")
    assert 'error="invalid_token"' in answer["WWW-Authenticate"]
