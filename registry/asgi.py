# SPDX-License-Identifier: Apache-2.0
"""The web process: who answers what, and how large a body may be before anything reads it.

Blobs and files are streamed by storage, tiles come from the ledger's folder, callers' digests are
signed together; everything else is Django's, behind the caps of api/bodies.py, and who sends much
is known before. Storage knows nobody: here it is told who may read and write (its `Gate`).
"""
# ruff: noqa: E402 - models can be imported only once Django is set up

from __future__ import annotations

import asyncio
import gc
import os
from dataclasses import asdict
from functools import partial

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry.settings")
os.environ.setdefault("ASSAY_DATABASE_POOL", "10")

from django.core.asgi import get_asgi_application

_django = get_asgi_application()  # models may be imported from here on

from django.urls import get_resolver
from django.utils import timezone

from registry.accounts import reading, sessions, staying, tokens
from registry.accounts.queries import Scope as TokenScope
from registry.accounts.queries import User
from registry.api.bodies import Bodies
from registry.api.unread import Unread
from registry.api.warnings import Warnings
from registry.api.wire import Application, Receive, Scope, Send, header
from registry.catalog import queries as catalog
from registry.catalog.queries import gates, withheld
from registry.catalog.services import downloads
from registry.hub import commits, parts, resolve, uploads
from registry.hub.raw import Raw
from registry.hub.xet import receiving, registering
from registry.ledger.serving import ledger_files
from registry.mlflow.serving import Artifacts
from registry.oci.serving import Images
from registry.outputs.admitting import Admitting
from registry.outputs.serving import Signing
from registry.sigstore.serving import trust_files
from registry.storage import queries as storage
from registry.storage.download import Download
from registry.storage.streams import FileAddress, Streams
from registry.swarms.serving import Swarms


class CatalogGate:
    """Tokens say who calls; who has sent a blob may read it, and the catalogue knows who else."""

    def uploader(self, authorization: str | None) -> str:
        """In whose name it stores them, if it is for publishing or for a node."""
        token = tokens.authenticate(authorization, now=timezone.now())
        return tokens.require(token, TokenScope.PUBLISH, TokenScope.NODE).actor

    def hold(self, authorization: str | None) -> None:
        """Who has left since `uploader` has sent nothing."""
        staying.hold_bearer(authorization)

    def may_read(self, sha256: str, scope: Scope) -> bool:
        """Its holders, and whoever may read a thing that it is part of.

        Raises AccessNeeded where they see a gated project that has it, and TakenDown where they
        see what had it. Whoever sees neither learns nothing.
        """
        token = tokens.authenticate(header(scope, "Authorization"), now=timezone.now())
        viewer = reading.reader(token, reading.CHECKPOINTS)
        actor = viewer.actor if viewer else None
        if token is not None and token.project:
            actor = token.actor  # who reads back what it sent, and nothing else that is private
        is_held = actor is not None and storage.holds(actor, sha256)
        if is_held or sha256 in catalog.open_blobs((sha256,), viewer):
            withheld.check_blob(sha256)
            return True
        withheld.check_unread(sha256, viewer)
        gates.check_blob(sha256, viewer)
        return False

    def file_for(self, address: FileAddress, scope: Scope) -> Download | None:
        """The blob behind a published checkpoint's file; people follow links to it in a browser."""
        token = tokens.authenticate(header(scope, "Authorization"), now=timezone.now())
        viewer = reading.reader(token, reading.CHECKPOINTS) if token else _signed_in(scope)
        found = catalog.file_for(
            address.owner, address.project, address.checkpoint, address.path, viewer
        )
        if found is None:
            return None
        sha256, size_bytes, name = found
        begun = partial(downloads.note, downloads.Fetched(**asdict(address)))
        return Download(sha256=sha256, size_bytes=size_bytes, name=name, begun=begun)


def _signed_in(scope: Scope) -> User | None:
    return sessions.person(header(scope, "Cookie"))


class Lifespan:
    """Answers the server's start and stop, which Django does not; nothing waits for either."""

    def __init__(self, inner: Application) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._inner(scope, receive, send)
            return
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await asyncio.to_thread(downloads.flush)
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return


_streams = Streams(gate=CatalogGate(), inner=Admitting(inner=Bodies(Signing(_django))))
_routes = (
    resolve.ROUTE,
    uploads.ROUTE,
    parts.ROUTE,
    commits.ROUTE,
    *receiving.ROUTES,
    *registering.ROUTES,
)
_hub = Raw(routes=_routes, inner=_streams)
_said = Warnings(inner=Images(inner=Swarms(inner=Artifacts(inner=_hub))))
application = Lifespan(Unread(ledger_files(trust_files(_said))))

# What is loaded now stays: to look through all of it again for garbage held each request up that
# was being answered at that moment, by 90 ms (0.4 ms without it).
_ = get_resolver().url_patterns
gc.collect()
gc.freeze()
