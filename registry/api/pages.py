# SPDX-License-Identifier: Apache-2.0
"""What Django itself answers (400, 403, 404, 500, CSRF): problems to programs, pages to people."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import defaults

from .kinds import Kind
from .problems import Document, InvalidRequest, NotFound, Problem

# No page and no form is below these, whatever name somebody's project may have.
API = ("/api/", "/c2pa/", "/v1/")
# Where only programs call; elsewhere a person is answered, unless the request prefers JSON.
PROGRAMS = (
    *API,
    "/.well-known/",
    "/auth/keys",
    "/auth/token",
    "/authority/",
    "/events",
    "/ledger/statements/",
    "/ledger/tree-head",
    "/timestamp",
)
PROOF = ".tlog-proof"


class Fault(Problem):
    """The registry failed where it should have answered; its own log says why."""

    code = "fault"
    title = "The registry failed"
    status_code = 500


class ForeignForm(Problem):
    """A form came without the token that our page gives to each session."""

    code = "csrf-failed"
    title = "This form is not from our page"
    status_code = 403


def wants_problem(request: HttpRequest) -> bool:
    """That the caller is a program."""
    preferred = request.get_preferred_type(["text/html", "application/json"])
    is_for_programs = request.path.startswith(PROGRAMS) or request.path.endswith(PROOF)
    return is_for_programs or preferred == "application/json"


def refusal(request: HttpRequest, document: Document, headers: Mapping[str, str]) -> HttpResponse:
    """What a view refused, for whoever asked."""
    if wants_problem(request):
        return document.response(headers)
    kind = Kind(
        code=document.code, title=document.title, status=document.status, meaning=document.detail
    )
    page = render(request, "api/problem.html", {"kind": kind}, status=document.status)
    for name, value in headers.items():
        page[name] = value
    return page


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400: what Django found suspicious; its message may repeat the input and stays out."""
    if wants_problem(request):
        detail = "expected a well-formed request to a host that this registry serves"
        return Document.of(InvalidRequest(detail)).response()
    return defaults.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler403."""
    if wants_problem(request):
        return Document(
            code="forbidden", title="You may not do this", status=403, detail=str(exception)
        ).response()
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404."""
    if wants_problem(request):
        detail = f"nothing that you may see is at {request.path[:200]}"
        return Document.of(NotFound(detail)).response()
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: the fault is in the program's log, never in the answer."""
    if wants_problem(request):
        detail = "nothing of this request was kept; the fault is in the registry's log"
        return Document.of(Fault(detail)).response()
    return defaults.server_error(request)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF_FAILURE_VIEW; an address of the API that came to a page's view is none of the API's."""
    if request.path.startswith(API):
        return not_found(request, PermissionError(reason))
    detail = f"expected the CSRF token of your session: {reason}"
    if wants_problem(request):
        return Document.of(ForeignForm(detail)).response()
    return defaults.permission_denied(request, PermissionError(detail))
