# SPDX-License-Identifier: Apache-2.0
"""Addresses as they were sent: a branch's name may hold a `/`, which clients write `%2F`.

Django and ASGI servers decode a path before anything is routed, and then `dev/x/config.json` has
no one reading. The raw path is split first, and each segment decoded by itself.
"""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from django.http import HttpRequest
from django.utils.encoding import escape_uri_path

from registry.api.wire import Scope

from .errors import Unreadable

MAX_SEGMENTS = 200


def of_request(request: HttpRequest) -> list[str]:
    """The segments of a Django request's path."""
    scope: Scope = getattr(request, "scope", {})  # a test's client that is not ASGI's has none
    return _segments(scope.get("raw_path") or escape_uri_path(request.path).encode())


def of_scope(scope: Scope) -> list[str]:
    """The segments of a path below Django."""
    return _segments(scope.get("raw_path") or escape_uri_path(scope["path"]).encode())


def _segments(raw: bytes) -> list[str]:
    parts = raw.partition(b"?")[0].lstrip(b"/").split(b"/", MAX_SEGMENTS)
    try:
        found = [unquote_to_bytes(part).decode() for part in parts]
    except UnicodeDecodeError as error:
        raise Unreadable("expected an address in UTF-8, found other bytes") from error
    if any("\0" in part for part in found):
        raise Unreadable("expected an address without NUL, found one")
    return found
