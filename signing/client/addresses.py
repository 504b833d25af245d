# SPDX-License-Identifier: Apache-2.0
"""A registry's address: one form of it, and whether anybody is between it and us."""

from __future__ import annotations

import ipaddress

import httpx

from ..errors import InvalidDocument

SHOWN_CHARACTERS = 200


def address(url: str) -> str:
    """The URL of a registry in one form, so that whatever is kept for it is found again.

    Raises InvalidDocument for what is no plain http or https URL.
    """
    expected = "the address of a registry, such as https://registry.example"
    try:
        found = httpx.URL(url)
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise InvalidDocument("URL", expected, ascii(url[:SHOWN_CHARACTERS])) from error
    if found.userinfo:  # never shown: it may be a password
        raise InvalidDocument("URL", expected, "one with a name or a password in it")
    if found.scheme not in {"http", "https"} or not found.host or found.query or found.fragment:
        raise InvalidDocument("URL", expected, ascii(url[:SHOWN_CHARACTERS]))
    return str(found).rstrip("/")


def is_private(url: str) -> bool:
    """Whether nobody on the way reads what is sent there: https, or this very machine."""
    return url.startswith("https://") or is_loopback(url)


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine, so that neither proxy nor eavesdropper is in between."""
    try:
        host = httpx.URL(url).host
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except (httpx.InvalidURL, ValueError):
        return False
