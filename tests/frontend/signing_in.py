# SPDX-License-Identifier: Apache-2.0
"""A session for a person, made before the browser starts."""

from __future__ import annotations

from django.conf import settings
from django.test import Client

from registry.accounts.models import User


def cookies_of(user: User) -> dict[str, str]:
    """What a browser of theirs would send."""
    client = Client()
    client.force_login(user)
    return {settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value}
