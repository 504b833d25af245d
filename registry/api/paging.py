# SPDX-License-Identifier: Apache-2.0
"""Lists by cursor: no offset that grows, no count over a table, no cursor that a caller made up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from django.core import signing
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.utils.urls import replace_query_param

from .numbers import capped
from .problems import InvalidRequest

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet
    from rest_framework.request import Request
    from rest_framework.response import Response
    from rest_framework.views import APIView

Row = TypeVar("Row", bound="Model")

MAX_PAGE = 100
SALT = "registry.api.paging"


def page_size(given: str) -> int:
    """How many a page has; raises InvalidRequest for what is no number of them."""
    if not given:
        return CursorPaging.page_size
    if not (found := capped(given, most=MAX_PAGE)):
        raise InvalidRequest(f"page_size: expected 1 to {MAX_PAGE}, found {given[:40]!a}")
    return found


class CursorPaging(CursorPagination):
    """`?cursor=` and `?page_size=` (50, at most 100); a view sets `ordering` to indexed fields.

    A cursor holds a position that goes into a query, so it is signed: only those we gave come back.
    """

    page_size = 50
    max_page_size = MAX_PAGE
    page_size_query_param = "page_size"
    ordering: str | tuple[str, ...] = "-id"

    def get_page_size(self, request: Request) -> int:
        """As it was asked for; raises InvalidRequest."""
        return page_size(request.query_params.get(str(self.page_size_query_param), ""))

    def encode_cursor(self, cursor: Cursor) -> str:
        """The address of the page at the cursor."""
        token = signing.dumps([cursor.offset, cursor.reverse, cursor.position], salt=SALT)
        return replace_query_param(self.base_url or "", self.cursor_query_param, token)

    def decode_cursor(self, request: Request) -> Cursor | None:
        """The cursor in the request; raises InvalidRequest for one that we did not give."""
        token = request.query_params.get(self.cursor_query_param)
        if not token:
            return None
        try:
            offset, reverse, position = signing.loads(token, salt=SALT)
        except signing.BadSignature as error:
            raise InvalidRequest(
                "expected a cursor from `next` or `previous` of an earlier page"
            ) from error
        return Cursor(offset=offset, reverse=reverse, position=position)


class NewestFirst(CursorPaging):
    """By the moment at which each was made."""

    ordering = ("-created_at", "-pk")


def listed(
    view: APIView, request: Request, rows: QuerySet[Row], show: Callable[[Row], object]
) -> Response:
    """A page of rows, the newest first, each as it is shown."""
    paging = NewestFirst()
    page = paging.paginate_queryset(rows, request, view=view)
    return paging.get_paginated_response([show(each) for each in page or ()])
