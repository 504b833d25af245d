# SPDX-License-Identifier: Apache-2.0
"""`/api/2.0/mlflow-artifacts/artifacts/{owner}/{name}/{revision}/{path}`: a file, streamed.

It is the Hub's `resolve` under another address: the request goes on as that one.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.encoding import escape_uri_path

from registry.api.wire import Application, Receive, Scope, Send
from registry.hub.resolve import RESOLVE

PREFIX = "/api/2.0/mlflow-artifacts/artifacts/"
MIN_PARTS = 4  # owner, name, revision, path


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifacts:
    """Rewrites addresses of files; everything goes on to `inner`."""

    inner: Application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry."""
        path = scope["path"] if scope["type"] == "http" else ""
        if path.startswith(PREFIX) and path.count("/", len(PREFIX)) + 1 >= MIN_PARTS:
            raw = scope.get("raw_path") or escape_uri_path(path).encode()
            scope = {**scope, "path": _resolved(path), "raw_path": _resolved(raw.decode()).encode()}
        await self.inner(scope, receive, send)


def _resolved(path: str) -> str:
    owner, name, rest = path[len(PREFIX) :].split("/", 2)
    return f"/{owner}/{name}/{RESOLVE}/{rest}"
