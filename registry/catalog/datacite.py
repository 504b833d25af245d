# SPDX-License-Identifier: Apache-2.0
"""DataCite's REST API: in whose account DOIs are registered, and the one request that does it.

The address is the operator's, so that it may be any; the password goes there alone. No redirect is
followed, no proxy asked, little of an answer is read, and the whole is timed, for httpx bounds each
read alone. What comes back of an answer is its status and the titles of its errors: a server that
repeats what it was sent puts no password into a row.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import quote, urlsplit

import httpx
from django.conf import settings

from assay.signing import canonical
from assay.signing.errors import InvalidDocument

from .errors import NoDois

SECONDS = 20.0  # for all of a request; DataCite itself asks the handle system meanwhile
MAX_BYTES = 64 << 10  # of an answer: a registered DOI, or what was wrong with it
MAX_REASON = 300
MAX_PASSWORD_BYTES = 4096
MAX_TITLES = 5
JSON_API = "application/vnd.api+json"
AGENT = "assay"
THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
AGAIN = frozenset({408, 425, 429})  # of the 4xx: those that say nothing of the request itself
NONE_THERE = frozenset({404, 422})  # to who hides one: says nothing of it but that
PREFIX = re.compile(r"10\.[0-9]{4,9}(\.[0-9]{1,9})*")
_SETTINGS = {
    "ASSAY_DATACITE_ACCOUNT": "DATACITE_ACCOUNT",
    "ASSAY_DATACITE_PASSWORD_FILE": "DATACITE_PASSWORD_FILE",
    "ASSAY_DOI_PREFIX": "DOI_PREFIX",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A repository account of the operator's, with the prefix that it may register under."""

    url: str
    name: str
    prefix: str
    password: str = field(repr=False)

    @classmethod
    def read(cls) -> Self:
        """Of the settings, and the password from its file; raises NoDois."""
        if absent := missing():
            raise NoDois(f"expected an account with DataCite, found none: {', '.join(absent)}")
        _check_url(settings.DATACITE_URL)
        if not PREFIX.fullmatch(settings.DOI_PREFIX):
            raise NoDois("ASSAY_DOI_PREFIX: expected a prefix like 10.5072")
        return cls(
            url=settings.DATACITE_URL,
            name=settings.DATACITE_ACCOUNT,
            prefix=settings.DOI_PREFIX,
            password=_password(settings.DATACITE_PASSWORD_FILE),
        )

    def hidden_in(self, text: str) -> str:
        """The text without the password, plain or as it is sent (RFC 7617)."""
        sent = base64.b64encode(f"{self.name}:{self.password}".encode()).decode()
        return text.replace(sent, "…").replace(self.password, "…")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; `status` is None where nothing did, and `text` then says why."""

    status: int | None
    text: str = ""

    @property
    def is_good(self) -> bool:
        """That DataCite has it."""
        return self.status is not None and httpx.codes.is_success(self.status)

    @property
    def is_final(self) -> bool:
        """That the same request would be refused again."""
        is_ours = self.status is not None and not httpx.codes.is_server_error(self.status)
        return is_ours and not self.is_good and self.status not in AGAIN

    @property
    def is_of_none(self) -> bool:
        """That there is no such DOI, where nothing else of the request can have been wrong."""
        return self.status in NONE_THERE

    @property
    def reason(self) -> str:
        """For people."""
        if self.status is None:
            return self.text[:MAX_REASON]
        return f"DataCite answered {self.status}: {self.text or 'nothing more'}"[:MAX_REASON]


def is_configured() -> bool:
    """Whether this registry registers DOIs."""
    return not missing()


def missing() -> tuple[str, ...]:
    """The variables that an account still needs."""
    return tuple(name for name, setting in _SETTINGS.items() if not getattr(settings, setting))


def is_begun() -> bool:
    """That some of them are set, whether or not all are."""
    return len(missing()) < len(_SETTINGS)


def put(account: Account, doi: str, attributes: Mapping[str, object]) -> Answer:
    """Register the DOI, or change what is registered: the same again changes nothing.

    Never raises for what DataCite or the network does.
    """
    body = {"data": {"type": "dois", "attributes": {**attributes, "doi": doi}}}
    request = httpx.Request(
        "PUT",
        f"{account.url}/dois/{quote(doi)}",
        content=json.dumps(body, ensure_ascii=False).encode(),
        headers={
            "Content-Type": JSON_API,
            "Accept": JSON_API,
            "Accept-Encoding": "identity",  # what is packed small could unpack large
            "User-Agent": AGENT,
        },
    )
    try:
        status, content = asyncio.run(_answer(request, account))
    except TimeoutError:
        return Answer(status=None, text=f"DataCite did not answer within {SECONDS:.0f} seconds")
    except httpx.HTTPError as error:
        return Answer(status=None, text=f"DataCite did not answer: {type(error).__name__}")
    return Answer(status=status, text=account.hidden_in(_titles(content)))


async def _answer(request: httpx.Request, account: Account) -> tuple[int, bytes]:
    body = bytearray()
    async with (
        asyncio.timeout(SECONDS),
        httpx.AsyncClient(timeout=SECONDS, follow_redirects=False, trust_env=False) as client,
    ):
        auth = httpx.BasicAuth(account.name, account.password)
        answer = await client.send(request, auth=auth, stream=True)
        async for chunk in answer.aiter_raw():
            body += chunk[: MAX_BYTES - len(body)]
            if len(body) >= MAX_BYTES:
                break
        await answer.aclose()
    return answer.status_code, bytes(body)


def _titles(content: bytes) -> str:
    """Of the errors (JSON:API 1.1, section 11), on one line; of anything else nothing."""
    try:
        document = canonical.loads(content, max_bytes=MAX_BYTES, has_fractions=True)
        errors = canonical.as_mapping(document, "answer").get("errors")
    except InvalidDocument:
        return ""
    listed = errors[:MAX_TITLES] if isinstance(errors, list) else []
    titles = (each.get("title") for each in listed if isinstance(each, dict))
    text = "; ".join(each for each in titles if isinstance(each, str))
    return "".join(each if each.isprintable() else " " for each in text)


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in THIS_MACHINE:
        raise NoDois("ASSAY_DATACITE_URL: expected https, or the password would be read on its way")


def _password(file: str) -> str:
    """The first line of the file; what it says is in no message."""
    try:
        with Path(file).open("rb") as source:
            first = source.readline(MAX_PASSWORD_BYTES).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NoDois(
            f"ASSAY_DATACITE_PASSWORD_FILE: expected a file of text to read, found {file}"
        ) from error
    if not first:
        raise NoDois(f"ASSAY_DATACITE_PASSWORD_FILE: expected a password in {file}, found none")
    return first
