# SPDX-License-Identifier: Apache-2.0
"""`POST /api/models/{owner}/{name}/commit/{revision}`: read line by line below Django, then made.

A line is all that is in memory: small files are stored as they come, in the caller's name. Nothing
is changed before the last line has been read; what a broken commit stored is nobody's file yet.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from django.conf import settings
from django.db import transaction
from django.http.request import split_domain_port, validate_host

from assay.signing.manifest import FileEntry
from registry.accounts import queries as accounts
from registry.accounts import staying
from registry.accounts.queries import Token
from registry.api.problems import TooLarge, TruncatedBody
from registry.api.wire import (
    Disconnected,
    Receive,
    Scope,
    Send,
    body_chunk,
    header,
    send_body,
    send_head,
)
from registry.catalog import services as catalog
from registry.catalog.errors import BlobMissing
from registry.catalog.queries import Project, revisions
from registry.catalog.queries.pulls import Pull
from registry.catalog.queries.revisions import MAIN, PULLS
from registry.catalog.services import Change, Commit, Proposal, Put, Remove
from registry.storage import services as storage
from registry.storage.streams import ask
from registry.storage.upload import room

from . import addresses
from .callers import caller, check_sends, check_writes, project
from .errors import CORS, Unreadable
from .lfs import readable
from .operations import Content, Copied, Header, operation
from .raw import Route

SEGMENTS = 6  # api, models, owner, name, commit, revision
MAX_LINE_BYTES = 2 * 1024 * 1024  # a small file in base64, and its name
MAX_BODY_BYTES = 256 * 1024 * 1024  # what clients put into one commit at most is 100 MiB
MAX_LINES = 20_000  # a manifest has at most 10,000 files, each of which may replace another


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What came of a commit; `pull` is the pull request that it opened."""

    oid: str
    pull: Pull | None = None


@dataclass(slots=True, kw_only=True)
class Draft:
    """A commit as far as it was read."""

    of: Project
    token: Token
    branch: str
    is_new_pull: bool = False
    header: Header | None = None
    changes: list[Change] = field(default_factory=list)

    def add(self, line: bytes) -> None:
        """One line of it; a small file is stored at once."""
        match operation(line):
            case Header() as found:
                if self.header is not None:
                    raise Unreadable("expected one header, found two")
                self.header = found
            case Content() as file:
                self.changes.append(Put(file=self._stored(file)))
            case Copied() as file:
                self.changes.append(Put(file=self._found(file)))
            case Put() | Remove() as change:
                self.changes.append(change)
        if len(self.changes) > MAX_LINES:
            raise TooLarge(f"expected at most {MAX_LINES} lines, found more")

    def made(self) -> Made:
        """The commit, which is published."""
        if self.header is None:
            raise Unreadable("expected a header, found none")
        if self.is_new_pull or self.branch.startswith(PULLS):
            return self._proposed(self.header)
        commit = Commit(
            user=self.token.user,
            holder=self.token.holder,
            project=self.of,
            branch=self.branch,
            parent=self.header.parent,
            title=self.header.title,
            message=self.header.message,
            changes=tuple(self.changes),
        )
        return Made(oid=catalog.commit(commit).checkpoint.oid)

    def _proposed(self, header: Header) -> Made:
        """In the caller's own name, whoever's the project is."""
        wanted = Proposal(
            by=self.token.user,
            title=header.title,
            message=header.message,
            parent=header.parent,
            changes=tuple(self.changes),
        )
        if self.is_new_pull:
            pull, revision = catalog.propose_changes(self.of, wanted)
            return Made(oid=revision.checkpoint.oid, pull=pull)
        pull = revisions.pull_named(self.of, self.branch)
        return Made(oid=catalog.commit_to(pull, wanted).checkpoint.oid)

    def _found(self, file: Copied) -> FileEntry:
        """For who sent it or may read it; to anybody else it is as if it were not here."""
        own = readable(self.token, {file.sha256}, within=self.of)
        size_bytes = storage.sizes(own).get(file.sha256)
        if size_bytes is None:
            raise BlobMissing(
                f"{file.name}: expected a file that you sent, or may read, where its size is not "
                f"said; upload sha256:{file.sha256} first"
            )
        return FileEntry(name=file.name, sha256=file.sha256, size=size_bytes)

    def _stored(self, file: Content) -> FileEntry:
        storage.check_room(len(file.content))
        with room(), transaction.atomic():
            staying.hold_token(self.token)
            blob = storage.store(file.content, holder=self.token.actor)
        return FileEntry(name=file.name, sha256=blob.sha256, size=blob.size_bytes)


async def _commit(scope: Scope, receive: Receive, send: Send) -> None:
    """Who, then line by line what, then all of it at once."""
    draft = await ask(_draft, scope)
    async for line in _lines(receive):
        await ask(draft.add, line)
    made = await ask(draft.made)
    said = {
        "success": True,
        "commitOid": made.oid,
        "commitUrl": f"{origin(scope)}/{draft.of.full_name}/commit/{made.oid}",
        "hookOutput": "",
    }
    if made.pull is not None:
        said["pullRequestUrl"] = origin(scope) + made.pull.path
    body = json.dumps(said).encode()
    length = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    await send_head(send, 200, {**CORS, **length})
    await send_body(send, body)


def _draft(scope: Scope) -> Draft:
    segments = addresses.of_scope(scope)
    if len(segments) != SEGMENTS:
        raise Unreadable("expected owner/name/commit/revision, found another address")
    _, _, owner, name, _, branch = segments
    is_new = b"create_pr=1" in scope["query_string"].split(b"&")
    if is_new and branch != MAIN:
        raise Unreadable(f"expected a pull request to {MAIN}, found {branch[:80]!a}")
    by = caller(header(scope, "Authorization"))
    of = project(by, owner, name)
    if not is_new and not branch.startswith(PULLS):
        return Draft(of=of, token=check_writes(by, of), branch=branch)
    token = check_sends(by, of)
    accounts.person_behind(token)
    return Draft(of=of, token=token, branch=branch, is_new_pull=is_new)


async def _lines(receive: Receive) -> AsyncIterator[bytes]:
    """The lines of the body, none longer than a small file takes."""
    waiting, size_bytes, is_more = b"", 0, True
    while is_more:
        try:
            chunk, is_more = await body_chunk(receive)
        except Disconnected as error:
            raise TruncatedBody(f"expected an end of the body, found {size_bytes} bytes") from error
        size_bytes += len(chunk)
        *whole, waiting = (waiting + chunk).split(b"\n")
        if size_bytes > MAX_BODY_BYTES or len(waiting) > MAX_LINE_BYTES:
            raise TooLarge(
                f"expected at most {MAX_BODY_BYTES} bytes, {MAX_LINE_BYTES} in a line, found more"
            )
        for line in (*whole, *(() if is_more else (waiting,))):
            if line.strip():
                yield line


def origin(scope: Scope) -> str:
    """As the caller wrote it, where that is one of our names: clients compare it with theirs."""
    host = header(scope, "Host") or ""
    is_ours = validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS)
    is_public = settings.PUBLIC_URL.endswith(f"//{host}")
    return f"{scope['scheme']}://{host}" if is_ours and not is_public else settings.PUBLIC_URL


def _may_be_ours(path: str) -> bool:
    parts = path.split("/", SEGMENTS)
    return len(parts) > SEGMENTS and parts[1:3] == ["api", "models"] and parts[5] == "commit"


ROUTE = Route(is_ours=_may_be_ours, answers={"POST": _commit})
