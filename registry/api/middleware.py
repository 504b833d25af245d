# SPDX-License-Identifier: Apache-2.0
"""Refuses a NUL in an address (PostgreSQL has no NUL), and answers refusals raised in plain views.

REST framework answers what its own views raise; a page that raises the same refusal gets it here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from django.http import HttpRequest, HttpResponse
from django.utils.decorators import async_only_middleware
from django.utils.deprecation import MiddlewareMixin
from rest_framework.exceptions import APIException

from assay.signing.errors import AssayError

from .pages import refusal, wants_problem
from .problems import AWAY, Document, InvalidRequest, document_of, headers_of

Handler = Callable[[HttpRequest], Awaitable[HttpResponse]]


@async_only_middleware
def refuse_nul(get_response: Handler) -> Handler:
    """Both the path (already decoded) and the query (still encoded) are looked at."""

    async def handle(request: HttpRequest) -> HttpResponse:
        query = request.META.get("QUERY_STRING", "")
        if "\0" not in request.path and "%00" not in query and "\0" not in query:
            return await get_response(request)
        refused = InvalidRequest("expected an address without NUL, found one")
        return Document.of(refused).response()

    return handle


class Refusals(MiddlewareMixin):
    """What REST framework's own views may raise, raised in any other view."""

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """None leaves a fault to Django, and its own refusals to its handlers."""
        document = (
            document_of(error) if isinstance(error, (APIException, AssayError, *AWAY)) else None
        )
        if document is None or (isinstance(error, AWAY) and not wants_problem(request)):
            return None  # a page of ours asks the database who is signed in
        return refusal(request, document, headers_of(error))
