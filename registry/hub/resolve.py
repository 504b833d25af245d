# SPDX-License-Identifier: Apache-2.0
"""`/{owner}/{name}/resolve/{revision}/{path}`: files by revision, streamed below Django.

Headers and bytes come in one answer, 200 or 206, and never by a redirect: measured, clients lose
the headers of one within an origin. HEAD says all that a client decides by: X-Repo-Commit, ETag
(the SHA-256 of a large file, git's name of another) and X-Linked-Size. X-Xet-Hash is never sent,
so that each of them downloads by plain HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from registry.api.warnings import HEADER
from registry.api.wire import Receive, Scope, Send, header, send_body, send_head
from registry.catalog.queries import Project, gates
from registry.catalog.queries.revisions import Found
from registry.catalog.services.downloads import Fetched, note
from registry.storage.download import Download, send_blob
from registry.storage.streams import ask

from . import addresses
from .callers import Caller, caller, check_reads, project
from .errors import CORS, EntryUnknown, request_id
from .files import RepoFile, file_at
from .raw import Route

RESOLVE, RAW = "resolve", "raw"
MIN_SEGMENTS = 5  # owner, name, verb, revision, path


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A file as its URL names it; `is_raw` asks for what git would have of it."""

    owner: str
    name: str
    is_raw: bool
    revision: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    download: Download
    pointer: bytes
    """What is sent in its place; empty for the bytes themselves."""


async def _answer(scope: Scope, receive: Receive, send: Send) -> None:
    wanted = _address(scope)
    by = await ask(caller, header(scope, "Authorization"))
    file = await ask(_found, by, wanted)
    if not file.pointer:
        await send_blob(scope, receive, send, file.download)
        return
    length = {"Content-Length": str(len(file.pointer)), "Content-Type": "text/plain; charset=utf-8"}
    await send_head(send, 200, {**file.download.headers, **length})
    await send_body(send, b"" if scope["method"] == "HEAD" else file.pointer)


def _may_be_ours(path: str) -> bool:
    parts = path.split("/", MIN_SEGMENTS)
    return len(parts) > MIN_SEGMENTS and parts[3] in {RESOLVE, RAW}


def _address(scope: Scope) -> Address:
    owner, name, verb, revision, *path = addresses.of_scope(scope)
    if not path:
        raise EntryUnknown("expected a file's path behind the revision, found none")
    return Address(
        owner=owner, name=name, is_raw=verb == RAW, revision=revision, path="/".join(path)
    )


def _found(by: Caller, wanted: Address) -> _File:
    """In the database: the project, its revision, the file in it."""
    of = project(by, wanted.owner, wanted.name)
    if not gates.is_signature(wanted.path):
        check_reads(by, of)
    found, file = file_at(of, wanted.revision, wanted.path)
    download = Download(
        sha256=file.sha256,
        size_bytes=file.size_bytes,
        name=file.path.rpartition("/")[2],
        tag=file.tag,
        headers={**_headers(found.oid, file), **_warning(found, of)},
        begun=_noting(found, file),
    )
    is_pointer = wanted.is_raw and file.is_large
    return _File(download=download, pointer=file.pointer if is_pointer else b"")


def _noting(found: Found, file: RepoFile) -> Callable[[], None]:
    if found.checkpoint is None:  # and has no file
        raise TypeError("expected a revision that has files")
    of, project = found.checkpoint, found.checkpoint.project
    fetched = Fetched(
        owner=project.owner.name, project=project.name, checkpoint=of.name, path=file.path
    )
    return partial(note, fetched)


def _warning(found: Found, of: Project) -> Mapping[str, str]:
    """Clients print it once: digits alone do not show that what they name was never merged."""
    if found.checkpoint is None or found.checkpoint.project_id == of.pk:
        return {}
    return {
        HEADER: f"pull-request; This is what somebody proposes to {of.full_name}, in a "
        "pull request, signed as theirs: nobody has merged it."
    }


def _headers(oid: str, file: RepoFile) -> Mapping[str, str]:
    found = {**CORS, "X-Repo-Commit": oid, "X-Request-Id": request_id()}
    if file.is_large:
        found["X-Linked-Etag"] = f'"{file.sha256}"'
        found["X-Linked-Size"] = str(file.size_bytes)
    return found


ROUTE = Route(is_ours=_may_be_ours, answers={"GET": _answer, "HEAD": _answer})
