# SPDX-License-Identifier: Apache-2.0
"""Serves the TUF repository's files below Django: no database, and only what a client asks for."""

from __future__ import annotations

from registry.api.problems import NotFound
from registry.api.wire import Application
from registry.storage.named import FOR_EVER, NamedFiles

from . import distributing

PREFIX = "/trust/"


def trust_files(inner: Application) -> Application:
    """Answers the addresses of the repository's files; everything else goes on to `inner`."""
    return NamedFiles(inner=inner, name_of=_name_of, read=_read)


def _name_of(path: str) -> str:
    name = path.removeprefix(PREFIX) if path.startswith(PREFIX) else ""
    return name if distributing.NAME.fullmatch(name) else ""


def _read(name: str) -> tuple[dict[str, str], bytes]:
    try:
        data = (distributing.folder() / name).read_bytes()
    except FileNotFoundError as error:
        raise NotFound(f"expected a file of the repository, found none at {name}") from error
    caching = "no-cache" if name == "timestamp.json" else FOR_EVER
    return {"Content-Type": "application/json", "Cache-Control": caching}, data
