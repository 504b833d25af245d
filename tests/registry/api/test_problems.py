# SPDX-License-Identifier: Apache-2.0
"""Every refusal is a problem document, whoever raises it; faults say nothing of themselves."""

from __future__ import annotations

import json
from typing import NoReturn

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from pytest_django import Settings
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

from assay.signing.errors import InvalidDocument, SignerError
from assay.signing.signer.errors import BadRequest, LedgerRollback
from registry.api.problems import FieldProblem, Problem
from registry.env import CHECKOUT

BASE = "http://localhost:8000/errors"


class Full(Problem):
    """A refusal with everything."""

    code = "queue-full"
    title = "The queue is full"
    status_code = 429


RAISED: dict[str, Exception] = {
    "full": Full(
        "expected a place",
        errors=[FieldProblem(field="a.b", message="m")],
        headers={"Retry-After": "5"},
    ),
    "http404": Http404("secret table"),
    "denied": PermissionDenied(),
    "throttled": exceptions.Throttled(wait=7),
    "other": exceptions.APIException("odd"),
    "document": InvalidDocument("files", "a list", "a number"),
    "nested": InvalidDocument("manifest.files[3].name", "a relative path", "'..'"),
    "signer": LedgerRollback("the tree is smaller"),
    "unsigned": BadRequest("request: expected bytes"),
    "a newer signer": SignerError("too-new", "what it says"),
    "fields": exceptions.ValidationError(
        {"name": ["too long"], "files": [{}, {"size": ["wrong"]}], "non_field_errors": ["both"]}
    ),
    "plain": exceptions.ValidationError("no"),
    "away": OperationalError("connection to host db.internal failed"),
    "fault": RuntimeError("password=hunter2"),
    "suspicious": SuspiciousOperation("attack"),
}


class Raise(APIView):
    """Raises what its address names."""

    authentication_classes = ()

    def get(self, request: Request, name: str) -> NoReturn:
        raise RAISED[name]


class Open(APIView):
    """Takes GET and POST of anybody."""

    authentication_classes = ()
    permission_classes = ()

    def get(self, request: Request) -> Response:
        return Response({})

    def post(self, request: Request) -> Response:
        return Response(request.data)


class Closed(APIView):
    """Takes what only some may send."""

    def post(self, request: Request) -> Response:
        return Response({})


def plain(request: HttpRequest, name: str) -> NoReturn:
    raise RAISED[name]


def form(request: HttpRequest) -> HttpResponse:
    return HttpResponse("done")


urlpatterns = [
    path("api/v1/drf/<name>", Raise.as_view()),
    path("api/v1/django/<name>", plain),
    path("api/v1/open", Open.as_view()),
    path("api/v1/closed", Closed.as_view()),
    path("page/<name>", plain),
    path("api/v1/form", form),
    path("form", form),
]
handler400 = "registry.api.pages.bad_request"
handler403 = "registry.api.pages.forbidden"
handler404 = "registry.api.pages.not_found"
handler500 = "registry.api.pages.server_error"


@pytest.fixture(autouse=True)
def _these_views(settings: Settings) -> None:
    """Without the site's templates, whose links lead to its views."""
    settings.ROOT_URLCONF = __name__
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": []}]


def get(url: str, **headers: str) -> HttpResponse:
    answer: HttpResponse = APIClient(raise_request_exception=False).get(url, headers=headers)
    return answer


def problem_at(url: str, **headers: str) -> dict[str, object]:
    answer = get(url, **headers)
    assert answer["Content-Type"] == "application/problem+json"
    document: dict[str, object] = json.loads(answer.content)
    assert document["type"] == f"{BASE}/{document['code']}"
    assert document["status"] == answer.status_code
    assert document["title"]
    return document


@pytest.mark.parametrize(
    ("name", "status", "code", "detail"),
    [
        ("full", 429, "queue-full", "expected a place"),
        ("http404", 404, "not-found", "no such thing"),
        ("denied", 403, "forbidden", "permission"),
        ("throttled", 429, "throttled", "7 seconds"),
        ("other", 500, "error", "odd"),
        ("document", 422, "invalid-document", "files: expected a list, found a number"),
        ("signer", 503, "ledger-rollback", "says ledger-rollback; try again"),
        ("unsigned", 422, "bad-request", "says bad-request; the same request is refused again"),
        ("a newer signer", 503, "signer-error", "says too-new; try again"),
        ("fields", 400, "invalid", "name: too long; files.1.size: wrong; both"),
        ("plain", 400, "invalid", "no"),
        ("fault", 500, "fault", "the fault is in the registry's log"),
    ],
)
def test_a_view_of_the_api_refuses_with_a_problem(
    name: str, status: int, code: str, detail: str
) -> None:
    problem = problem_at(f"/api/v1/drf/{name}")
    assert (problem["status"], problem["code"]) == (status, code)
    assert detail in str(problem["detail"])


@pytest.mark.parametrize("view", ["drf", "django"])
def test_a_database_that_is_away_is_said_and_when_to_try_again(view: str) -> None:
    problem = problem_at(f"/api/v1/{view}/away")
    assert (problem["status"], problem["code"]) == (503, "database-away")
    assert "db.internal" not in str(problem)
    assert get(f"/api/v1/{view}/away")["Retry-After"] == "5"


def test_a_page_without_a_database_is_a_fault() -> None:
    assert get("/page/away").status_code == 500


@pytest.mark.parametrize(
    ("method", "headers", "status", "detail"),
    [
        ("DELETE", {}, 405, "expected GET, POST, HEAD, OPTIONS, found DELETE"),
        (
            "GET",
            {"Accept": "text/csv"},
            406,
            "expected an Accept header that takes application/json, found 'text/csv'",
        ),
        (
            "POST",
            {"Content-Type": "text/csv"},
            415,
            "expected a body of type application/json, found 'text/csv'",
        ),
    ],
)
def test_what_the_framework_refuses_says_what_was_expected(
    method: str, headers: dict[str, str], status: int, detail: str
) -> None:
    answer = APIClient().generic(method, "/api/v1/open", "a", headers=headers)
    assert (answer.status_code, answer.json()["detail"]) == (status, detail)


def test_who_is_unknown_is_told_what_opens(db: None) -> None:
    answer = APIClient().post("/api/v1/closed")
    expected = "expected a token (Authorization: Bearer …) or a session, found neither"
    assert (answer.status_code, answer.json()["detail"]) == (401, expected)


def test_a_wrong_document_names_its_field_among_the_errors() -> None:
    assert problem_at("/api/v1/drf/nested")["errors"] == [
        {"field": "manifest.files.3.name", "message": "expected a relative path, found '..'"}
    ]


def test_fields_and_headers_go_with_a_refusal() -> None:
    answer = get("/api/v1/drf/full")
    assert answer["Retry-After"] == "5"
    assert json.loads(answer.content)["errors"] == [{"field": "a.b", "message": "m"}]
    assert get("/api/v1/drf/throttled")["Retry-After"] == "7"
    assert [e["field"] for e in json.loads(get("/api/v1/drf/fields").content)["errors"]] == [
        "name",
        "files.1.size",
        "",
    ]


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("http404", 404, "not-found"),
        ("denied", 403, "forbidden"),
        ("suspicious", 400, "invalid-request"),
        ("fault", 500, "fault"),
    ],
)
def test_django_refuses_programs_with_problems_and_people_with_pages(
    name: str, status: int, code: str
) -> None:
    assert problem_at(f"/api/v1/django/{name}")["code"] == code
    assert problem_at(f"/page/{name}", Accept="application/json")["code"] == code
    page = get(f"/page/{name}", Accept="text/html")
    assert (page.status_code, page["Content-Type"].split(";")[0]) == (status, "text/html")


def test_a_refusal_raised_in_a_plain_view_is_answered_too(settings: Settings, db: None) -> None:
    assert problem_at("/api/v1/django/full")["code"] == "queue-full"
    assert get("/api/v1/django/full")["Retry-After"] == "5"
    assert problem_at("/api/v1/django/signer")["status"] == 503
    assert problem_at("/page/document", Accept="application/json")["status"] == 422
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [CHECKOUT / "frontend" / "templates"]}]
    page = get("/page/full", Accept="text/html")
    assert (page.status_code, page["Retry-After"]) == (429, "5")
    assert "expected a place" in page.content.decode()


@pytest.mark.parametrize("url", ["/api/v1/django/fault", "/page/fault", "/api/v1/drf/fault"])
def test_a_fault_tells_nothing_of_itself(url: str) -> None:
    assert b"hunter2" not in get(url).content
    assert b"secret table" not in get("/api/v1/django/http404").content


@pytest.mark.parametrize(
    "url",
    [
        "/.well-known/nothing",
        "/api/v1/nothing",
        "/authority/crl/nothing.crl",
        "/authority/ocsp/nothing",
        "/ledger/entries/1/nothing.tlog-proof",
        "/ledger/statements/nothing",
    ],
)
def test_an_unknown_address_is_a_problem_to_programs(url: str) -> None:
    assert problem_at(url, Accept="*/*")["code"] == "not-found"


def test_an_unknown_address_is_a_page_to_people() -> None:
    answer = get("/nothing", Accept="text/html")
    assert (answer.status_code, answer["Content-Type"].split(";")[0]) == (404, "text/html")


def test_a_missing_csrf_token_is_a_problem_to_programs() -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/form", headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf-failed")
    assert client.post("/form", headers={"accept": "text/html"}).status_code == 403


def test_what_a_program_sends_to_no_address_is_not_called_a_form(settings: Settings) -> None:
    settings.ROOT_URLCONF = "registry.urls"
    for url in ("/api/v1/nothing", "/c2pa/nothing"):
        answer = Client(enforce_csrf_checks=True).post(url)
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


@pytest.mark.parametrize("url", ["/api/v1/drf/%00", "/page/a%00b", "/page/plain?name=%00"])
def test_nul_in_an_address_is_refused_before_any_view(url: str) -> None:
    problem = problem_at(url)
    assert (problem["code"], problem["detail"]) == (
        "invalid-request",
        "expected an address without NUL, found one",
    )


def test_a_host_that_is_not_ours_is_refused() -> None:
    problem = problem_at("/api/v1/drf/plain", Host="evil.example")
    assert (problem["status"], problem["code"]) == (400, "invalid-request")
    assert "evil" not in str(problem)
