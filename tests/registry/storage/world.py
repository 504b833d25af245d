# SPDX-License-Identifier: Apache-2.0
"""A strict world around the streams: two people, one who may not store, and one file on show."""

from __future__ import annotations

import hashlib

from registry.accounts.errors import ScopeMissing, TokenRevoked, TokenUnknown, Unauthenticated
from registry.api.wire import Receive, Scope, Send, header
from registry.storage import services
from registry.storage.download import Download
from registry.storage.streams import FileAddress, Streams

CONTENT = bytes(range(256)) * 12_000  # 3 MB: several pieces
SHA256 = hashlib.sha256(CONTENT).hexdigest()
ACTORS = {"Bearer alice": "user:alice", "Bearer bob": "user:bob", "Bearer reader": "user:reader"}
SHOWN = FileAddress(owner="lab", project="model", checkpoint="step-1", path="a folder/näme.json")


class World:
    """The gate: alice and bob may store, the reader may not, and nobody else is known."""

    def __init__(self) -> None:
        self.gone: set[str] = set()
        self.public: set[str] = set()
        self.shown: dict[FileAddress, Download] = {}

    def actor(self, authorization: str | None) -> str | None:
        if authorization is None:
            return None
        if authorization not in ACTORS:
            raise TokenUnknown("expected a token of this world")
        return ACTORS[authorization]

    def uploader(self, authorization: str | None) -> str:
        actor = self.actor(authorization)
        if actor is None:
            raise Unauthenticated("expected a token, found none")
        if actor == "user:reader":
            raise ScopeMissing("expected scope publish or node; this token has read")
        return actor

    def hold(self, authorization: str | None) -> None:
        if self.actor(authorization) in self.gone:
            raise TokenRevoked("expected somebody who is here")

    def may_read(self, sha256: str, scope: Scope) -> bool:
        actor = self.actor(header(scope, "Authorization"))
        return sha256 in self.public or (actor is not None and services.holds(actor, sha256))

    def file_for(self, address: FileAddress, scope: Scope) -> Download | None:
        self.actor(header(scope, "Authorization"))
        return self.shown.get(address)


async def nothing_else(scope: Scope, receive: Receive, send: Send) -> None:
    """Stands where Django is."""
    raise AssertionError(f"{scope['path']} is no address of storage")


def streams(world: World) -> Streams:
    """The handlers in this world."""
    return Streams(gate=world, inner=nothing_else)
