# SPDX-License-Identifier: Apache-2.0
"""Blobs and files over HTTP, below Django, which would spool a body before asking who sends it.

Storage knows neither people nor checkpoints: registry/asgi.py gives it a `Gate` to ask.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, Protocol, TypeVar

from asgiref.sync import sync_to_async
from django.db import close_old_connections, transaction

from registry.api.problems import AWAY, DatabaseAway, NotFound, Problem
from registry.api.wire import (
    Application,
    Receive,
    Scope,
    Send,
    header,
    send_body,
    send_head,
    send_problem,
)

from . import services
from .download import Download, send_blob
from .errors import WrongMethod
from .files import Part
from .folder import check_digest
from .upload import Asking, announced_size, receive_blob

logger = logging.getLogger(__name__)

BLOB = re.compile(r"/api/v1/blobs/sha256:(?P<sha256>[^/]*)")
FILE = re.compile(r"/(?P<owner>[^/]+)/(?P<project>[^/]+)/(?P<checkpoint>[^/]+)/files/(?P<path>.+)")

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAddress:
    """A file as its URL names it."""

    owner: str
    project: str
    checkpoint: str
    path: str


class Gate(Protocol):
    """What storage asks the apps that know: plain functions that may use the database."""

    def uploader(self, authorization: str | None) -> str:
        """Who calls, if they may store blobs; else raises a Problem."""

    def hold(self, authorization: str | None) -> None:
        """Keep whoever uploaded here until the transaction ends; a Problem if they have left."""

    def may_read(self, sha256: str, scope: Scope) -> bool:
        """Whether whoever asks may read the blob; a Problem for a token that does not open."""

    def file_for(self, address: FileAddress, scope: Scope) -> Download | None:
        """The blob behind a file that whoever asks may read; a Problem as `may_read`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Streams:
    """Answers the addresses of blobs and files; everything else goes on to `inner`."""

    gate: Gate
    inner: Application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry."""
        path = scope["path"] if scope["type"] == "http" else ""
        try:
            if match := BLOB.fullmatch(path):
                await self._blob(scope, receive, send, match["sha256"])
            elif match := FILE.fullmatch(path):
                await self._file(scope, receive, send, FileAddress(**match.groupdict()))
            else:
                await self.inner(scope, receive, send)
        except (Problem, *AWAY) as refusal:
            problem = refusal if isinstance(refusal, Problem) else DatabaseAway()
            logger.info("%s %s: %s", scope["method"], path, refusal)
            await send_problem(send, problem, is_head=scope["method"] == "HEAD")

    async def _blob(self, scope: Scope, receive: Receive, send: Send, sha256: str) -> None:
        match scope["method"]:
            case "PUT":
                await self._put(scope, receive, send, sha256)
            case "GET" | "HEAD":
                download = await ask(self._readable, check_digest(sha256), scope)
                await send_blob(scope, receive, send, download)
            case method:
                raise _wrong(method, "GET, HEAD, PUT")

    async def _file(self, scope: Scope, receive: Receive, send: Send, file: FileAddress) -> None:
        if scope["method"] not in {"GET", "HEAD"}:
            raise _wrong(scope["method"], "GET, HEAD")
        is_address = "\0" not in scope["path"]
        download = await ask(self.gate.file_for, file, scope) if is_address else None
        if download is None:
            raise NotFound("expected a file of a published checkpoint")
        await send_blob(scope, receive, send, download)

    async def _put(self, scope: Scope, receive: Receive, send: Send, sha256: str) -> None:
        """Who, then how long, then the bytes; the row comes last, and makes it true."""
        authorization = header(scope, "Authorization")

        async def admit() -> None:
            await ask(services.admit, holder, sha256, size_bytes=size_bytes)

        async def keep(part: Part) -> None:
            await ask(self._keep, part, authorization, holder)

        holder = await ask(self.gate.uploader, authorization)
        check_digest(sha256)
        size_bytes = announced_size(scope)
        was_held = await ask(services.holds, holder, sha256)
        asking = Asking(admit=admit, keep=keep)
        await receive_blob(receive, asking, sha256=sha256, size_bytes=size_bytes)
        body = json.dumps({"id": f"sha256:{sha256}", "size": size_bytes}).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        await send_head(send, 200 if was_held else 201, headers)
        await send_body(send, body)

    def _keep(self, part: Part, authorization: str | None, holder: str) -> None:
        """The bytes took their time: who left meanwhile has sent nothing."""
        with transaction.atomic():
            self.gate.hold(authorization)
            services.keep(part, holder=holder)

    def _readable(self, sha256: str, scope: Scope) -> Download:
        may_read, size_bytes = self.gate.may_read(sha256, scope), services.size_of(sha256)
        if size_bytes is None or not may_read:
            raise NotFound(f"expected a blob that you may read, found none at sha256:{sha256}")
        return Download(sha256=sha256, size_bytes=size_bytes, name=sha256)


async def ask(
    question: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
) -> Result:
    """Asks in a thread of its own, whose database connection goes back at once."""

    def answer() -> Result:
        try:
            return question(*args, **kwargs)
        finally:
            close_old_connections()

    return await sync_to_async(answer, thread_sensitive=False)()


def _wrong(method: str, allowed: str) -> WrongMethod:
    return WrongMethod(f"expected {allowed}, found {method[:20]}", headers={"Allow": allowed})
