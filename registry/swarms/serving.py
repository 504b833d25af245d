# SPDX-License-Identifier: Apache-2.0
"""`/{owner}/{name}/resolve/{revision}/{path}?as=meta4|torrent`: what programs of swarms start from.

Of what everybody may have alone: who has the document asks others for the bytes, and no server
knows then who they are. So no token opens more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from django.utils.http import content_disposition_header

from registry.api.wire import Application, Receive, Scope, Send, send_body, send_head
from registry.hub import addresses
from registry.hub.callers import open_project
from registry.hub.commits import origin
from registry.hub.errors import CORS, EntryUnknown, WrongMethod, request_id
from registry.hub.files import file_at
from registry.hub.refusing import preflight, refusing
from registry.hub.resolve import RESOLVE
from registry.storage.streams import ask

from . import services
from .documents import METALINK, TORRENT, Shared, metalink, torrent
from .errors import NothingToShare

KINDS: Mapping[bytes, tuple[str, str, Callable[[Shared], bytes]]] = {
    b"as=meta4": (METALINK, "meta4", metalink),
    b"as=torrent": (TORRENT, "torrent", torrent),
}
SEGMENTS = 5  # owner, name, verb, revision, path
ALLOWED = "GET, HEAD, OPTIONS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Swarms:
    """Answers for files that are asked for in one of those forms; all else goes on to `inner`."""

    inner: Application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry."""
        if scope["type"] != "http" or not _is_ours(scope):
            await self.inner(scope, receive, send)
            return
        async with refusing(scope, send):
            match scope["method"]:
                case "GET" | "HEAD":
                    await _answer(scope, send)
                case "OPTIONS":
                    await preflight(send)
                case method:
                    allowed = {"Allow": ALLOWED}
                    raise WrongMethod(f"expected {ALLOWED}, found {method[:20]}", headers=allowed)


async def _answer(scope: Scope, send: Send) -> None:
    media_type, suffix, document = KINDS[scope["query_string"]]
    shared, oid = await ask(_shared, scope)
    content = document(shared)
    name = f"{shared.name}.{suffix}"
    headers = {
        **CORS,
        "Content-Type": media_type,
        "Content-Length": str(len(content)),
        "Content-Disposition": content_disposition_header(as_attachment=True, filename=name) or "",
        "Cache-Control": "no-cache",
        "X-Repo-Commit": oid,
        "X-Request-Id": request_id(),
    }
    await send_head(send, 200, headers)
    await send_body(send, b"" if scope["method"] == "HEAD" else content)


def _shared(scope: Scope) -> tuple[Shared, str]:
    """In the database: the file, and its pieces. Addresses name the revision, not a branch."""
    owner, name, _, revision, *path = addresses.of_scope(scope)
    if not path:
        raise EntryUnknown("expected a file's path behind the revision, found none")
    of = open_project(owner, name)
    found, file = file_at(of, revision, "/".join(path))
    if not file.size_bytes:
        raise NothingToShare(f"expected bytes in {file.path[:120]!r}, found none")
    url = f"{origin(scope)}/{of.full_name}/{RESOLVE}/{found.oid}/{quote(file.path)}"
    shared = Shared(
        name=file.path.rpartition("/")[2],
        url=url,
        pieces=services.pieces(file.sha256, file.size_bytes),
    )
    return shared, found.oid


def _is_ours(scope: Scope) -> bool:
    parts = scope["path"].split("/", SEGMENTS)
    is_file = len(parts) > SEGMENTS and parts[3] == RESOLVE
    return is_file and scope["query_string"] in KINDS
