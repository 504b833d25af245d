# SPDX-License-Identifier: Apache-2.0
"""A connection to an address: who may be in between, and which authorities vouch for it."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from functools import cache

import httpx

from .addresses import is_loopback

HTTPS = "https://"


def connect(
    url: str, timeout: float | httpx.Timeout, headers: Mapping[str, str] | None = None
) -> httpx.Client:
    """A client for this address alone: it follows nobody to another one, as tokens are for one."""
    by_environment = not is_loopback(url)  # a proxy cannot reach our own loopback
    return httpx.Client(
        headers=headers,
        timeout=timeout,
        follow_redirects=False,
        trust_env=by_environment,
        verify=_authorities(by_environment=by_environment) if url.startswith(HTTPS) else _nobody(),
    )


@cache
def _authorities(*, by_environment: bool) -> ssl.SSLContext:
    """The web's, or those that SSL_CERT_FILE names: read once, which takes 70 ms."""
    return httpx.create_ssl_context(trust_env=by_environment)


@cache
def _nobody() -> ssl.SSLContext:
    """Without TLS nobody vouches; if there were any after all, nobody would be believed."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
