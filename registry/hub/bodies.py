# SPDX-License-Identifier: Apache-2.0
"""Documents that callers send, read by the strict parser that the API has."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest

from registry.api.parsing import parse

from .errors import Unreadable


def document(request: HttpRequest) -> Mapping[str, object]:
    """The JSON object in the body; nothing at all is an empty one."""
    return parsed(request.body) if request.body.strip() else {}


def parsed(content: bytes) -> Mapping[str, object]:
    """One JSON object; raises InvalidRequest or Unreadable."""
    found = parse(content)
    if not isinstance(found, dict):
        raise Unreadable("expected a JSON object, found a list")
    return found


def text(body: Mapping[str, object], name: str, *, default: str | None = None) -> str:
    """A text in it; raises Unreadable where there is none and no default."""
    found = body.get(name)
    if found is None and default is not None:
        return default
    if not isinstance(found, str):
        raise Unreadable(f"{name}: expected text, found {type(found).__name__}")
    return found
