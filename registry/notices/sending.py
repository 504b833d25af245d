# SPDX-License-Identifier: Apache-2.0
"""One signed request to where its host was found to be, and what came back: little, and soon.

The connection goes to the address that was checked; certificate, SNI and Host are the name's. No
redirect is followed, no proxy asked, and the whole is timed, for httpx bounds each read alone.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from . import addresses
from .addresses import Target
from .errors import AddressRefused, InvalidWebhook
from .models import MAX_ANSWER

SECONDS = 10.0  # for all of a request; Standard Webhooks asks for 15 to 30 at the very most
MAX_BYTES = 16 << 10  # of an answer; the rest is not read
AGENT = "assay-webhooks/1"
GONE = 410


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; `status` is None where nothing did, and `text` then says why."""

    status: int | None
    text: str

    @property
    def is_good(self) -> bool:
        """That the receiver has it."""
        return self.status is not None and httpx.codes.is_success(self.status)

    @property
    def is_gone(self) -> bool:
        """That the receiver wants no more, ever."""
        return self.status == GONE


def context() -> ssl.SSLContext:
    """Whose certificates are believed; made once for many requests, for it takes 20 ms."""
    return httpx.create_ssl_context()


async def post(
    url: str, body: bytes, headers: Mapping[str, str], *, trusting: ssl.SSLContext
) -> Answer:
    """Send it; never raises for what the receiver, its name or the network does."""
    try:
        async with asyncio.timeout(SECONDS):
            return await _post(Target.parse(url), body, headers, trusting)
    except TimeoutError:
        return Answer(status=None, text=f"no answer within {SECONDS:.0f} seconds")
    except (AddressRefused, InvalidWebhook) as refusal:
        return Answer(status=None, text=str(refusal.detail)[:MAX_ANSWER])
    except OSError as error:
        return Answer(status=None, text=f"its host is not found: {error.strerror}"[:MAX_ANSWER])
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, ValueError) as error:
        return Answer(status=None, text=f"{type(error).__name__}: {error}"[:MAX_ANSWER])


async def _post(
    target: Target, body: bytes, headers: Mapping[str, str], trusting: ssl.SSLContext
) -> Answer:
    """To the first of its addresses that takes a connection."""
    found = await addresses.resolve(target)
    async with httpx.AsyncClient(
        verify=trusting, timeout=SECONDS, follow_redirects=False, trust_env=False
    ) as client:
        for each in found[:-1]:
            try:
                return await _ask(client, _request(client, target, each, body, headers))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await _ask(client, _request(client, target, found[-1], body, headers))


def _request(
    client: httpx.AsyncClient,
    target: Target,
    address: addresses.Address,
    body: bytes,
    headers: Mapping[str, str],
) -> httpx.Request:
    named = {} if target.is_literal else {"sni_hostname": target.host}
    said = {
        "Host": target.authority,
        "Content-Type": "application/json",
        "User-Agent": AGENT,
        "Accept-Encoding": "identity",  # what is packed small could unpack large
        **headers,
    }
    return client.build_request(
        "POST", target.at(address), content=body, headers=said, extensions=named
    )


async def _ask(client: httpx.AsyncClient, request: httpx.Request) -> Answer:
    answer = await client.send(request, stream=True)
    found = bytearray()
    try:
        async for chunk in answer.aiter_raw():
            found += chunk[: MAX_BYTES - len(found)]
            if len(found) >= MAX_BYTES:
                break
    finally:
        await answer.aclose()
    return Answer(status=answer.status_code, text=_shown(bytes(found)))


def _shown(content: bytes) -> str:
    """As text of one line: it goes into a row and onto a page."""
    text = content.decode("utf-8", errors="replace")
    plain = "".join(each if each.isprintable() else " " for each in text)
    return plain.strip()[:MAX_ANSWER]
