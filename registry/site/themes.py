# SPDX-License-Identifier: Apache-2.0
"""Light, dark, or what the system says: a choice in a cookie, so that the server renders it."""

from __future__ import annotations

from enum import StrEnum

from django.http import HttpRequest

COOKIE = "assay-theme"
COOKIE_SECONDS = 365 * 24 * 60 * 60


class Theme(StrEnum):
    """The values of the cookie and of `data-theme`."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


def theme_of(request: HttpRequest) -> Theme:
    """What this browser chose; anything unknown is no choice."""
    return parse(request.COOKIES.get(COOKIE, ""))


def parse(value: str) -> Theme:
    """A theme by name; anything else is AUTO."""
    return Theme(value) if value in set(Theme) else Theme.AUTO
