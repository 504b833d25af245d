# SPDX-License-Identifier: Apache-2.0
"""Documents of a provider over HTTP: a few, small, soon, from where the operator said, or not.

No address here comes from a caller: an issuer is one that the operator listed, and what its own
configuration points to must be https as well. Redirects are not followed. httpx bounds each read
alone, so that an issuer could hold us for as long as it drips bytes: the whole is timed as a task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx
from django.conf import settings
from django.core.cache import cache

from assay.signing import canonical
from assay.signing.errors import InvalidDocument

from .errors import IssuerUnreachable
from .providers import Provider, check_url

TIMEOUT_SECONDS = 5.0  # for all of a request
MAX_BYTES = 256 << 10  # the largest JWKS in use, Google's and Microsoft's, are below 20 KiB
KEPT_SECONDS = 600  # a key that its issuer withdraws is believed for so long
ASKED_AGAIN_SECONDS = 30  # for a key that was not there: more often would be ours to flood them
AGENT = {"User-Agent": "assay"}  # without one GitHub's API refuses
DISCOVERY = "/.well-known/openid-configuration"


def configuration(provider: Provider) -> Mapping[str, object]:
    """The provider's own description (OpenID Connect Discovery 1.0); raises IssuerUnreachable."""
    found = _kept(provider.issuer.rstrip("/") + DISCOVERY)
    if found.get("issuer") != provider.issuer:
        raise IssuerUnreachable(
            f"expected the configuration of {provider.issuer}, found another issuer's"
        )
    return found


def address(provider: Provider, member: str) -> str:
    """One address of the configuration."""
    try:
        url = canonical.text(configuration(provider), member)
        return check_url(member, url, is_local=settings.IS_LOCAL)
    except InvalidDocument as error:
        raise IssuerUnreachable(f"the configuration of {provider.issuer}: {error}") from error


def keys(provider: Provider, *, fresh: bool = False) -> Mapping[str, object]:
    """The provider's key set (RFC 7517); a fresh one at most every half minute."""
    url = address(provider, "jwks_uri")
    if fresh and cache.add(f"oidc:again:{url}", 1, ASKED_AGAIN_SECONDS):
        cache.delete(_name(url))
    return _kept(url)


def post(
    url: str, form: Mapping[str, str], *, basic: tuple[str, str] | None
) -> Mapping[str, object]:
    """A form sent, and the JSON object that came back."""
    headers = {**AGENT, "Accept": "application/json"}
    request = httpx.Request("POST", url, data=dict(form), headers=headers)
    return _object(url, _read(request, httpx.BasicAuth(*basic) if basic else None))


def get(url: str, *, token: str) -> Mapping[str, object]:
    """A document that only the bearer may read."""
    headers = {**AGENT, "Accept": "application/json", "Authorization": f"Bearer {token}"}
    return _object(url, _read(httpx.Request("GET", url, headers=headers)))


def _kept(url: str) -> Mapping[str, object]:
    data = cache.get(_name(url))
    if data is None:
        data = _read(httpx.Request("GET", url, headers=AGENT))
        _object(url, data)  # what is no JSON object is not kept
        cache.set(_name(url), data, KEPT_SECONDS)
    return _object(url, data)


def _name(url: str) -> str:
    return f"oidc:document:{url}"


def _read(request: httpx.Request, auth: httpx.Auth | None = None) -> bytes:
    """The body of a good answer, read up to the limits and no further."""
    try:
        status, body = asyncio.run(_answer(request, auth))
    except TimeoutError as error:
        message = f"{request.url.host} does not answer within {TIMEOUT_SECONDS} seconds"
        raise IssuerUnreachable(message) from error
    except httpx.HTTPError as error:
        message = f"{request.url.host} does not answer: {type(error).__name__}"
        raise IssuerUnreachable(message) from error
    if not httpx.codes.is_success(status):
        raise IssuerUnreachable(f"expected 200 from {request.url.host}, found {status}")
    return body


async def _answer(request: httpx.Request, auth: httpx.Auth | None) -> tuple[int, bytes]:
    """Status and body; raises TimeoutError wherever the time is up: nothing is left open."""
    body = bytearray()
    async with (
        asyncio.timeout(TIMEOUT_SECONDS),
        httpx.AsyncClient(
            timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False
        ) as client,
    ):
        answer = await client.send(request, auth=auth, stream=True)
        async for chunk in answer.aiter_bytes():
            body += chunk
            if len(body) > MAX_BYTES:
                raise IssuerUnreachable(f"{request.url.host} answered more than {MAX_BYTES}")
    return answer.status_code, bytes(body)


def _object(url: str, data: bytes) -> Mapping[str, object]:
    try:
        value = canonical.loads(data, max_bytes=MAX_BYTES, has_fractions=True)
        return canonical.as_mapping(value, "document")
    except InvalidDocument as error:
        raise IssuerUnreachable(f"expected a JSON object at {url}: {error}") from error
