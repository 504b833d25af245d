# SPDX-License-Identifier: Apache-2.0
"""The server behind the gateway: asked as the caller asked, headers and all; nothing is kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

import httpx

from ..client.connecting import connect
from .contents import MAX_ANSWER_BYTES
from .errors import UpstreamBroken, UpstreamUnreachable

CONNECT_SECONDS = 20.0
SILENCE_SECONDS = 600.0  # as long as OpenAI's clients wait for an answer
ROOT = "/v1"
# RFC 9110, 7.6.1: what concerns one connection alone; and what each of the two says for itself.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
OWN = frozenset({"host", "content-length", "expect"})

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a caller asks."""

    method: str
    target: str
    """Path and query, which begin with /v1/."""
    headers: Headers
    body: bytes


class Upstream:
    """A server at a base URL, as its clients would be told it (it ends in /v1, mostly)."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._http = connect(self.url, httpx.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    @contextmanager
    def answering(self, request: Request, *, is_plain: bool) -> Iterator[httpx.Response]:
        """The answer, its body not read; `is_plain` asks for one that is not compressed.

        Raises UpstreamUnreachable.
        """
        headers = list(end_to_end(request.headers, without=OWN))
        if is_plain:
            headers = [pair for pair in headers if pair[0].lower() != "accept-encoding"]
            headers.append(("Accept-Encoding", "identity"))
        url = self.url + request.target.removeprefix(ROOT)
        try:
            asked = httpx.Request(request.method, url, headers=headers, content=request.body)
            answer = self._http.send(asked, stream=True)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UpstreamUnreachable(f"the upstream does not answer: {_reason(error)}") from error
        try:
            yield answer
        finally:
            answer.close()


def headers_of(answer: httpx.Response, *, without: frozenset[str]) -> Headers:
    """What of its headers goes on."""
    raw = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers.raw]
    return tuple(end_to_end(raw, without=without))


def raw_chunks(answer: httpx.Response) -> Iterator[bytes]:
    """The body as it comes, compressed if it is; raises UpstreamBroken if it breaks off."""
    try:
        yield from answer.iter_raw()
    except httpx.HTTPError as error:
        raise UpstreamBroken(f"the upstream's answer broke off: {_reason(error)}") from error


def plain_chunks(answer: httpx.Response) -> Iterator[bytes]:
    """The same of an answer that was asked for as it is; raises UpstreamBroken where it is not."""
    coding = answer.headers.get("Content-Encoding", "identity")
    if coding != "identity":
        raise UpstreamBroken(f"expected an answer as it is, found it encoded: {coding[:40]!a}")
    yield from raw_chunks(answer)


def read(chunks: Iterable[bytes]) -> bytes:
    """A whole body; raises UpstreamBroken for one that is too long."""
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise UpstreamBroken(f"expected at most {MAX_ANSWER_BYTES} bytes, found more")
    return bytes(body)


def end_to_end(headers: Iterable[tuple[str, str]], *, without: frozenset[str]) -> Headers:
    """All headers but those of one connection alone, which `Connection` may name more of."""
    given = tuple(headers)
    named = ",".join(value for name, value in given if name.lower() == "connection")
    dropped = HOP_BY_HOP | without | {each.strip().lower() for each in named.split(",")}
    return tuple(pair for pair in given if pair[0].lower() not in dropped)


def _reason(error: Exception) -> str:
    """What httpx says: it names addresses and states in its messages, and no header."""
    return str(error)[:200] or type(error).__name__
