# SPDX-License-Identifier: Apache-2.0
"""A ledger's files and its witnesses over HTTP; nothing that comes is believed here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus

import httpx

from ..canonical import base64_text
from ..errors import MissingEvidence
from ..tiles import MAX_TILE_BYTES
from ..treehead import MAX_NOTE_CHARACTERS
from .connecting import connect
from .errors import ClientError, RegistryUnreachable, WitnessElsewhere

TIMEOUT_SECONDS = 10.0
CHECKPOINT = "checkpoint"
SIZE_TYPE = "text/x.tlog.size"
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,15})\n")


class LedgerClient:
    """The files of a ledger below a URL (C2SP tlog-tiles)."""

    def __init__(self, url: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self.url = url.rstrip("/")
        self._timeout_seconds = timeout_seconds

    def fetch(self, path: str) -> bytes:
        """The file at a path; raises MissingEvidence where there is none (`tiles.Fetch`)."""
        status, _, data = self._get(path, MAX_TILE_BYTES)
        if status == HTTPStatus.NOT_FOUND:
            raise MissingEvidence(f"expected a file at {self.url}/{path}, found none")
        if status != HTTPStatus.OK:
            raise ClientError(f"{self.url}/{path} answered {status}", status=status)
        return data

    def checkpoint(self) -> str:
        """The newest signed tree head."""
        return self.fetch(CHECKPOINT).decode(errors="replace")

    def _get(self, path: str, limit: int) -> tuple[int, str, bytes]:
        url = f"{self.url}/{path}"
        return _exchange("GET", url, limit=limit, timeout_seconds=self._timeout_seconds)


def add_checkpoint(
    url: str,
    *,
    old: int,
    proof: Sequence[bytes],
    note: str,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> str:
    """Show a tree head to the witness at a URL (C2SP tlog-witness); its signature lines.

    Raises WitnessElsewhere, with the size, if the newest head it saw is not of the old size.
    """
    lines = "".join(f"{base64_text(each)}\n" for each in proof)
    status, kind, data = _exchange(
        "POST",
        f"{url.rstrip('/')}/add-checkpoint",
        limit=MAX_NOTE_CHARACTERS,
        content=f"old {old}\n{lines}\n{note}".encode(),
        timeout_seconds=timeout_seconds,
    )
    found = _SIZE.fullmatch(data)
    if status == HTTPStatus.CONFLICT and kind == SIZE_TYPE and found is not None:
        size = int(found[1])
        raise WitnessElsewhere(f"the witness at {url} has seen {size} entries", size=size)
    if status != HTTPStatus.OK:
        said = data.decode(errors="replace").strip()[:200]
        raise ClientError(f"the witness at {url} answered {status}: {said!a}", status=status)
    return data.decode(errors="replace")


def _exchange(
    method: str, url: str, *, limit: int, timeout_seconds: float, content: bytes | None = None
) -> tuple[int, str, bytes]:
    """Status, type and body of one answer, which may not be longer than `limit`."""
    try:
        with (
            connect(url, timeout_seconds) as http,
            http.stream(method, url, content=content) as answer,
        ):
            body = bytearray()
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > limit:
                    message = f"expected at most {limit} bytes from {url}, found more"
                    raise ClientError(message, status=answer.status_code)
            return answer.status_code, answer.headers.get("Content-Type", ""), bytes(body)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error) or type(error).__name__
        raise RegistryUnreachable(f"{url} cannot be reached: {reason}") from error
