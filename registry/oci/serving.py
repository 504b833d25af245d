# SPDX-License-Identifier: Apache-2.0
"""`/v2/`: the pulling half of the OCI distribution specification, below Django."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from assay.signing import canonical
from assay.signing.digests import as_id
from registry.accounts.errors import Unauthenticated
from registry.api.numbers import capped
from registry.api.problems import REFUSALS
from registry.api.wire import Application, Receive, Scope, Send, header, send_body, send_head
from registry.catalog.errors import AccessNeeded
from registry.catalog.queries import Project
from registry.hub.callers import ANYBODY, Caller, read_project
from registry.hub.errors import RepoUnknown, Unreadable, WrongMethod
from registry.storage.download import CONFINED, Download, send_blob
from registry.storage.folder import check_digest
from registry.storage.ranges import span_of
from registry.storage.streams import ask

from . import queries, services, tokens
from .errors import VERSION, AddressUnknown, BlobUnknown, ManifestUnknown, refusal
from .images import EMPTY, MANIFEST, Document, listed
from .queries import TAG

logger = logging.getLogger(__name__)

ROOT = "/v2"
ADDRESS = re.compile(
    r"/v2/(?P<owner>[^/]+)/(?P<name>[^/]+)/"
    r"(?P<kind>manifests|blobs|referrers|tags)/(?P<reference>[^/]+)"
)
SHA256 = "sha256:"
MAX_TAGS = 1000
METHODS = ("GET", "HEAD")
JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Bytes of ours, or a blob."""

    document: Document | None = None
    blob: Download | None = None
    headers: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """Answers what is below `/v2`; everything else goes on to `inner`."""

    inner: Application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry."""
        if scope["type"] != "http" or not f"{scope['path']}/".startswith(f"{ROOT}/"):
            await self.inner(scope, receive, send)
            return
        try:
            _check_method(scope["method"])
            await _send(scope, receive, send, await ask(_answer, scope))
        except REFUSALS as error:
            refused = refusal(error, challenge=tokens.challenge(scope))
            if refused is None:
                raise
            logger.info("%s %s: %s", scope["method"], scope["path"], error)
            length = {"Content-Length": str(len(refused.body))}
            await send_head(send, refused.status, {**refused.headers, **length})
            await send_body(send, b"" if scope["method"] == "HEAD" else refused.body)


async def _send(scope: Scope, receive: Receive, send: Send, found: Answer) -> None:
    if found.blob is not None:
        await send_blob(scope, receive, send, found.blob)
        return
    document = found.document or EMPTY
    is_head = scope["method"] == "HEAD"
    asked = None if is_head else header(scope, "Range")
    span = span_of(asked, size_bytes=len(document.content))
    headers = {
        **CONFINED,
        **VERSION,
        "Content-Type": document.media_type,
        "Content-Length": str(span.length_bytes),
        **(found.headers or {}),
    }
    if span.is_partial:
        headers["Content-Range"] = span.content_range
    await send_head(send, 206 if span.is_partial else 200, headers)
    await send_body(send, b"" if is_head else document.content[span.start : span.end])


def _answer(scope: Scope) -> Answer:
    """In the database: who calls, whose project, and what of it."""
    by = tokens.caller(header(scope, "Authorization"))
    if scope["path"] == tokens.PATH:
        return Answer(document=Document(media_type=JSON, content=tokens.issued(scope)))
    if scope["path"].rstrip("/") == ROOT:
        tokens.check_asked(by)
        return Answer(document=Document(media_type=JSON, content=EMPTY.content))
    found = ADDRESS.fullmatch(scope["path"])
    if found is None or "\0" in scope["path"]:
        raise AddressUnknown("expected /v2/OWNER/PROJECT/manifests, blobs, tags or referrers")
    of, reference = _project(by, found["owner"], found["name"]), found["reference"]
    match found["kind"]:
        case "manifests":
            return _manifest(of, reference)
        case "blobs":
            return _blob(of, _digest(reference))
        case "referrers":
            return _referrers(of, _digest(reference), _query(scope))
        case _:
            return _tags(of, reference, _query(scope))


def _project(by: Caller | None, owner: str, name: str) -> Project:
    """Who has not said who they are is asked, where that may make a difference."""
    try:
        return read_project(by or ANYBODY, owner, name)
    except (RepoUnknown, AccessNeeded) as error:
        if by is None:
            raise Unauthenticated(str(error.detail)) from error
        raise


def _manifest(of: Project, reference: str) -> Answer:
    """By digest, or by what people call it."""
    if ":" not in reference:
        if not TAG.fullmatch(reference):
            raise ManifestUnknown("expected a tag as the specification has it, found another")
        return _named(services.tagged(of, reference).manifest())
    sha256 = _digest(reference)
    image = services.having(of, sha256)
    for document in image.documents() if image else ():
        if (document.sha256, document.media_type) == (sha256, MANIFEST):
            return _named(document)
    raise ManifestUnknown(f"expected a manifest of {of}, found none of this digest")


def _blob(of: Project, sha256: str) -> Answer:
    """A file, or one of the small documents that manifests name beside files."""
    named = {**VERSION, "Docker-Content-Digest": as_id(sha256)}
    file = queries.file(of, sha256)
    if file is not None:
        name = file.name.rpartition("/")[2]
        blob = Download(sha256=sha256, size_bytes=file.size, name=name, headers=named)
        return Answer(blob=blob)
    if sha256 == EMPTY.sha256:
        return _named(EMPTY)
    image = services.having(of, sha256)
    for document in image.documents() if image else ():
        if document.sha256 == sha256 and document.media_type != MANIFEST:
            return _named(document)
    raise BlobUnknown(f"expected a blob of a published checkpoint of {of}, found none")


def _referrers(of: Project, sha256: str, query: Mapping[str, str]) -> Answer:
    """Of what is unknown, none: so the specification has it."""
    image = services.referred(of, sha256)
    found = image.referrers() if image is not None else ()
    wanted = query.get("artifactType", "")
    if not wanted:
        return Answer(document=listed(found))
    matching = tuple(each for each in found if each.artifact_type == wanted)
    return Answer(document=listed(matching), headers={"OCI-Filters-Applied": "artifactType"})


def _tags(of: Project, reference: str, query: Mapping[str, str]) -> Answer:
    if reference != "list":
        raise AddressUnknown("expected tags/list")
    limit = _limit(query.get("n"))
    found = queries.tags(of, after=query.get("last", ""), limit=limit + 1)
    page, headers = found[:limit], {}
    if page and len(found) > limit:
        next_page = urlencode({"n": limit, "last": page[-1]})
        headers["Link"] = f'<{ROOT}/{of.full_name}/tags/list?{next_page}>; rel="next"'
    content = canonical.dumps({"name": of.full_name, "tags": page})
    return Answer(document=Document(media_type=JSON, content=content), headers=headers)


def _named(document: Document) -> Answer:
    digest = as_id(document.sha256)
    return Answer(
        document=document, headers={"Docker-Content-Digest": digest, "ETag": f'"{digest}"'}
    )


def _digest(reference: str) -> str:
    """Raises InvalidDigest for anything but a SHA-256."""
    return check_digest(reference.removeprefix(SHA256) if SHA256 in reference else "")


def _limit(given: str | None) -> int:
    if given is None:
        return MAX_TAGS
    if (found := capped(given, most=MAX_TAGS)) is None:
        raise Unreadable(f"expected n to be a number, found {given[:40]!a}")
    return found


def _query(scope: Scope) -> dict[str, str]:
    try:
        found = dict(parse_qsl(scope["query_string"].decode(), max_num_fields=10))
    except ValueError as error:
        raise Unreadable("expected a query of a few words, found another") from error
    if any("\0" in value for value in found.values()):
        raise Unreadable("expected a query without NUL, found one")
    return found


def _check_method(method: str) -> None:
    if method not in METHODS:
        allowed = ", ".join(METHODS)
        raise WrongMethod(
            f"expected {allowed}, found {method[:20]}: checkpoints are only pulled this way",
            headers={"Allow": allowed},
        )
