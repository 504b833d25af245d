# SPDX-License-Identifier: Apache-2.0
"""Whose session a cookie is, for what is answered below Django's own requests."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest, parse_cookie

from .models import User


def person(cookies: str | None) -> User | None:
    """The person who is signed in with these cookies (a Cookie header), as every page knows them.

    Only for what is read, and by pages of ours alone: nothing guards against requests that another
    page made a browser send.
    """
    key = parse_cookie(cookies or "").get(settings.SESSION_COOKIE_NAME)
    if not key:
        return None
    request = HttpRequest()
    request.session = SessionStore(key)
    found = get_user(request)
    return found if isinstance(found, User) else None
