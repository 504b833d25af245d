# SPDX-License-Identifier: Apache-2.0
"""`PUT` and `GET /api/lfs/objects/{grant}`: the bytes of a large file, streamed below Django."""

from __future__ import annotations

from django.db import transaction

from registry.accounts import staying
from registry.api.problems import NotFound
from registry.api.wire import Receive, Scope, Send, send_body, send_head
from registry.storage import services as storage
from registry.storage.download import Download, send_blob
from registry.storage.errors import TruncatedUpload
from registry.storage.files import Part
from registry.storage.streams import ask
from registry.storage.upload import Asking, announced_size, receive_blob

from . import grants, lfs
from .errors import CORS
from .grants import PREFIX, Grant
from .raw import Route


async def _put(scope: Scope, receive: Receive, send: Send) -> None:
    """What was granted, how long it is, then the bytes; the row comes last, and makes it true."""
    grant = await ask(grants.take, scope["path"].removeprefix(PREFIX))
    size_bytes = announced_size(scope)
    if size_bytes != grant.size_bytes:
        raise TruncatedUpload(f"expected {grant.size_bytes} bytes, found {size_bytes} announced")

    holder = grant.token.actor

    async def admit() -> None:
        await ask(storage.admit, holder, grant.sha256, size_bytes=grant.size_bytes)

    async def keep(part: Part) -> None:
        await ask(_keep, part, grant)

    asking = Asking(admit=admit, keep=keep)
    await receive_blob(receive, asking, sha256=grant.sha256, size_bytes=grant.size_bytes)
    # Its ETag is what clients of parts send back; of a whole file it is its digest.
    await send_head(send, 200, {**CORS, "ETag": f'"{grant.sha256}"', "Content-Length": "0"})
    await send_body(send)


def _keep(part: Part, grant: Grant) -> None:
    """The bytes took their time: who left meanwhile has sent nothing."""
    with transaction.atomic():
        staying.hold_token(grant.token)
        storage.keep(part, holder=grant.token.actor)


async def _get(scope: Scope, receive: Receive, send: Send) -> None:
    text = scope["path"].removeprefix(PREFIX)
    await send_blob(scope, receive, send, await ask(_lent, text))


def _lent(text: str) -> Download:
    """Who may no longer read it has an address to nothing."""
    loan = grants.borrow(text)
    if loan.sha256 not in lfs.borrowable(loan.token, (loan.sha256,)):
        raise NotFound(f"expected a file that you may read, found none at sha256:{loan.sha256}")
    return Download(sha256=loan.sha256, size_bytes=loan.size_bytes, name=loan.sha256, headers=CORS)


def _is_ours(path: str) -> bool:
    return path.startswith(PREFIX)


ROUTE = Route(is_ours=_is_ours, answers={"PUT": _put, "GET": _get, "HEAD": _get})
