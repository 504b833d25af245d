# SPDX-License-Identifier: Apache-2.0
"""Large files as git-lfs speaks of them (its docs/api/batch.md): what to send where, and whether.

An upload is skipped only for bytes that this caller has sent, or may read: that a digest is known
here says nothing to whoever merely knows the digest.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse

from registry.accounts import reading
from registry.accounts.queries import Token
from registry.api.problems import NotFound
from registry.catalog import queries as catalog
from registry.catalog.queries import Project
from registry.storage import assembling
from registry.storage import services as storage
from registry.storage.errors import InvalidDigest
from registry.storage.folder import check_digest
from registry.storage.upload import MAX_BLOB_BYTES

from . import grants, parts
from .answers import Asked, endpoint
from .bodies import document
from .callers import check_reads, check_sends, project
from .errors import Unreadable, WrongMethod
from .grants import PREFIX, GrantRefused

CONTENT_TYPE = "application/vnd.git-lfs+json"
MAX_OBJECTS = 1000
VERIFY = "/api/lfs/verify"
BASIC, MULTIPART = "basic", "multipart"
Came: TypeAlias = Mapping[tuple[str, int], Mapping[int, str]]
"""Parts that have come, by digest and size of the whole: number to ETag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An object of the request."""

    sha256: str
    size_bytes: int

    def to_json(self) -> dict[str, object]:
        """As the answer begins."""
        return {"oid": self.sha256, "size": self.size_bytes}


@endpoint
def batch(asked: Asked) -> HttpResponse:
    """Where each object is sent to, or got from."""
    owner, name = asked.words
    of, body = project(asked.by, owner, name), _posted(asked.request)
    objects = _objects(body)
    match body.get("operation"):
        case "upload":
            token = check_sends(asked.by, of)
            sizes = storage.sizes(readable(token, {each.sha256 for each in objects}, within=of))
            came: Came | None = None
            if MULTIPART in _transfers(body):
                parts.check_few(each.size_bytes for each in objects)
                came = assembling.came(token.actor, {each.sha256 for each in objects})
            listed = [_upload(asked.request, token, each, sizes, came) for each in objects]
        case "download":
            check_reads(asked.by, of)
            listed = _downloads(asked, of, objects)
        case other:
            raise Unreadable(f"expected the operation upload or download, found {other!a:.40}")
    transfer = MULTIPART if any(map(_is_in_parts, listed)) else BASIC
    found = {"transfer": transfer, "hash_algo": "sha256", "objects": listed}
    return JsonResponse(found, content_type=CONTENT_TYPE)


@endpoint
def verify(asked: Asked) -> HttpResponse:
    """That the bytes have come, in full, from this caller."""
    given = asked.request.GET.get("grant")
    if given is None:
        asked.by.writer()  # Nobody in particular is not told what is wrong with their body.
    (wanted,) = _objects({"objects": [_posted(asked.request)]})
    token = asked.by.writer() if given is None else _granted(given, wanted)
    if storage.sizes(readable(token, {wanted.sha256})).get(wanted.sha256) != wanted.size_bytes:
        raise NotFound(f"expected sha256:{wanted.sha256} to have been sent, found nothing")
    return JsonResponse({}, content_type=CONTENT_TYPE)


def readable(
    token: Token, digests: Collection[str], *, within: Project | None = None
) -> frozenset[str]:
    """Those of these blobs that the caller has sent, or may read; or are `within` their project."""
    actors = {token.actor} if token.project else {token.actor, token.user.actor}
    viewer = reading.reader(token, reading.CHECKPOINTS)
    return storage.held(actors, digests) | catalog.open_blobs(digests, viewer, within=within)


def _upload(
    request: HttpRequest,
    token: Token,
    wanted: Wanted,
    sizes: Mapping[str, int],
    came: Came | None,
) -> dict[str, object]:
    """`came` is what of each came in parts before; None where the caller sends files whole."""
    known = sizes.get(wanted.sha256)
    if known is not None and known != wanted.size_bytes:
        return _error(wanted, 422, f"expected {known} bytes, found {wanted.size_bytes}")
    if known is not None:
        return wanted.to_json()
    if wanted.size_bytes > MAX_BLOB_BYTES:
        return _error(wanted, 413, f"expected at most {MAX_BLOB_BYTES} bytes: send it as shards")
    grant = grants.give(token, sha256=wanted.sha256, size_bytes=wanted.size_bytes)
    upload: dict[str, object] = {"href": request.build_absolute_uri(PREFIX + grant)}
    here: dict[str, object] = {}
    if came is not None and wanted.size_bytes > parts.MULTIPART_ABOVE:
        upload = _in_parts(request, token, wanted)
        before = came.get((wanted.sha256, wanted.size_bytes), {})
        here = {"parts": [{"partNumber": number, "etag": etag} for number, etag in before.items()]}
    actions = {
        "upload": {**upload, "expires_in": int(grants.GOOD_FOR.total_seconds())},
        "verify": {"href": request.build_absolute_uri(f"{VERIFY}?{urlencode({'grant': grant})}")},
    }
    return {**wanted.to_json(), **here, "authenticated": True, "actions": actions}


def _in_parts(request: HttpRequest, token: Token, wanted: Wanted) -> dict[str, object]:
    """Where each part is sent, beside how long each is: all in what is a header's place."""
    assembly = parts.assembly_of(token, sha256=wanted.sha256, size_bytes=wanted.size_bytes)
    whole, single = parts.addresses(token, assembly)
    to = {number: request.build_absolute_uri(path) for number, path in single.items()}
    return {
        "href": request.build_absolute_uri(whole),
        "header": {"chunk_size": str(assembly.part_bytes), **to},
    }


def _is_in_parts(listed: Mapping[str, object]) -> bool:
    match listed:
        case {"actions": {"upload": {"header": _}}}:
            return True
        case _:
            return False


def _transfers(body: Mapping[str, object]) -> Collection[object]:
    found = body.get("transfers")
    return found if isinstance(found, list) else ()


def _granted(given: str, wanted: Wanted) -> Token:
    """In whose name an address was given that asks about these bytes alone."""
    grant = grants.take(given)
    if (grant.sha256, grant.size_bytes) != (wanted.sha256, wanted.size_bytes):
        raise GrantRefused("expected the object that the address was given for, found another")
    return grant.token


def _downloads(asked: Asked, of: Project, objects: list[Wanted]) -> list[dict[str, object]]:
    """What is everybody's is at its own address; what is not, at one that lets this caller in."""
    token, digests = asked.by.token, {each.sha256 for each in objects}
    everybodys = catalog.open_blobs(digests)
    lent = borrowable(token, digests, of) if token else frozenset()
    sizes = storage.sizes(everybodys | lent)
    listed = []
    for each in objects:
        path = f"/api/v1/blobs/sha256:{each.sha256}"
        if token and each.sha256 not in everybodys:
            path = PREFIX + grants.lend(token, sha256=each.sha256, size_bytes=each.size_bytes)
        listed.append(_download(each, sizes, asked.request.build_absolute_uri(path)))
    return listed


def borrowable(token: Token, digests: Collection[str], of: Project | None = None) -> frozenset[str]:
    """Those of these blobs that whoever has the token may read; it may be for one project alone."""
    if token.project:
        owner, _, name = token.project.partition("/")
        of = of or catalog.project(owner, name, bound_to=token.project)
        return catalog.open_blobs(digests, within=of)
    return catalog.open_blobs(digests, reading.reader(token, reading.CHECKPOINTS))


def _download(wanted: Wanted, sizes: Mapping[str, int], href: str) -> dict[str, object]:
    if sizes.get(wanted.sha256) != wanted.size_bytes:
        return _error(wanted, 404, "expected an object that was published, found none")
    return {**wanted.to_json(), "authenticated": True, "actions": {"download": {"href": href}}}


def _error(wanted: Wanted, code: int, message: str) -> dict[str, object]:
    return {**wanted.to_json(), "error": {"code": code, "message": message}}


def _posted(request: HttpRequest) -> Mapping[str, object]:
    if request.method != "POST":
        raise WrongMethod(f"expected POST, found {request.method}", headers={"Allow": "POST"})
    return document(request)


def _objects(body: Mapping[str, object]) -> list[Wanted]:
    listed = body.get("objects")
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_OBJECTS:
        raise Unreadable(f"expected 1 to {MAX_OBJECTS} objects, found something else")
    return [_object(each) for each in listed]


def _object(value: object) -> Wanted:
    match value:
        case {"oid": str(sha256), "size": int(size)} if size >= 0 and not isinstance(size, bool):
            try:
                return Wanted(sha256=check_digest(sha256), size_bytes=size)
            except InvalidDigest as error:
                raise Unreadable(f"oid: {error.detail}") from error
        case _:
            raise Unreadable("expected objects with an oid and a size, found something else")
