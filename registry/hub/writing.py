# SPDX-License-Identifier: Apache-2.0
"""What is written without a commit: new repositories, branches and tags; and how files are sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import HttpResponse, JsonResponse

from assay.signing.manifest import SIGNATURE_NAMES
from registry.accounts import queries as accounts
from registry.accounts.queries import Namespace, Token
from registry.catalog import services
from registry.catalog.content.large import is_large
from registry.catalog.errors import MayNotPublish, NameTaken
from registry.catalog.queries import Project, Visibility, revisions
from registry.catalog.queries.revisions import MAIN, PULLS, Kind
from registry.catalog.services import NewProject
from registry.conduct import queries as conduct
from registry.conduct import standing
from registry.storage import services as storage
from registry.storage.errors import BlobTooLarge
from registry.storage.upload import MAX_BLOB_BYTES

from .answers import Asked, answer, endpoint, flag
from .bodies import document, text
from .callers import check_bound, check_sends, check_writes
from .errors import Unreadable, WrongMethod
from .files import RepoFile, files_of
from .governing import check_kind, visibility_of

MAX_FILES = 1000  # clients send 256 at a time
LEFT_OUT = frozenset(SIGNATURE_NAMES)  # they lie beside the files, and are ours to make


@endpoint
def create(asked: Asked) -> HttpResponse:
    """A new repository under the registry's own conduct; one that is there is said to be."""
    if asked.request.method != "POST":
        raise WrongMethod(f"expected POST, found {asked.request.method}", headers={"Allow": "POST"})
    token, body = asked.by.writer(), document(asked.request)
    check_kind(body)
    visibility = visibility_of(body) or Visibility.PUBLIC
    owner = _owner(token, body)
    full_name = f"{owner.name}/{text(body, 'name')}"
    check_bound(token, full_name)
    under = conduct.default()
    standing.require(owner, under)
    new = NewProject(
        owner=owner,
        name=text(body, "name"),
        title=text(body, "name"),
        summary="",
        conduct=under,
        visibility=visibility,
    )
    said = {"url": asked.request.build_absolute_uri(f"/{full_name}"), "name": full_name}
    try:
        services.create_project(new, token.user)
    except NameTaken as error:  # clients that take it as it is read the address
        return JsonResponse({**said, "error": str(error.detail)}, status=409)
    return answer(said)


def preupload(asked: Asked, of: Project) -> HttpResponse:
    """How each file is to be sent, and what the branch has under its name already."""
    is_proposed = flag(asked.request, "create_pr") or asked.revision.startswith(PULLS)
    token = (check_sends if is_proposed else check_writes)(asked.by, of)
    listed = document(asked.request).get("files")
    if not isinstance(listed, list) or len(listed) > MAX_FILES:
        raise Unreadable(f"expected at most {MAX_FILES} files, found something else")
    files = [_listed(each) for each in listed]
    there = {file.path: file for file in files_of(revisions.to_go_on_from(of, asked.revision))}
    storage.admit_lengths(token.actor, [each.size_bytes for each in files if each.is_large])
    return answer({"files": [_mode(each, there) for each in files]})


def add_branch(asked: Asked, of: Project) -> HttpResponse:
    """A branch at `startingPoint`, or where `main` is."""
    start = text(document(asked.request), "startingPoint", default=MAIN)
    return _add(asked, of, Kind.BRANCH, "/".join(asked.words), start)


def add_tag(asked: Asked, of: Project) -> HttpResponse:
    """A tag at the revision of the address."""
    name = text(document(asked.request), "tag")
    return _add(asked, of, Kind.TAG, name, "/".join(asked.words) or MAIN)


def remove_branch(asked: Asked, of: Project) -> HttpResponse:
    """The branch is gone, its revisions are not."""
    return _remove(asked, of, Kind.BRANCH)


def remove_tag(asked: Asked, of: Project) -> HttpResponse:
    """The tag is gone, its revision is not."""
    return _remove(asked, of, Kind.TAG)


def _add(asked: Asked, of: Project, kind: Kind, name: str, start: str) -> HttpResponse:
    token = check_writes(asked.by, of)
    at = revisions.find(of, start)
    services.add_ref(of, kind, name, at, by=token.user, actor=token.actor)
    return answer({})


def _remove(asked: Asked, of: Project, kind: Kind) -> HttpResponse:
    token = check_writes(asked.by, of)
    services.remove_ref(of, kind, "/".join(asked.words), by=token.user, actor=token.actor)
    return answer({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A file that somebody is about to send."""

    path: str
    size_bytes: int

    @property
    def is_large(self) -> bool:
        """Whether it is sent by itself, and not in the commit."""
        return is_large(self.path, self.size_bytes)


def _listed(value: object) -> Listed:
    match value:
        case {"path": str(path), "size": int(size)} if size >= 0 and not isinstance(size, bool):
            if size > MAX_BLOB_BYTES:  # before a client hashes all of it, and sends it in vain
                raise BlobTooLarge(
                    f"{path[:120]}: expected at most {MAX_BLOB_BYTES} bytes, found {size}: send it "
                    "as shards"
                )
            return Listed(path=path, size_bytes=size)
        case _:
            raise Unreadable("expected files with a path and a size, found something else")


def _mode(file: Listed, there: Mapping[str, RepoFile]) -> dict[str, object]:
    known = there.get(file.path)
    is_same_kind = known is not None and known.is_large == file.is_large
    return {
        "path": file.path,
        "uploadMode": "lfs" if file.is_large else "regular",
        "shouldIgnore": file.path in LEFT_OUT,
        "oid": known.tag if known is not None and is_same_kind else None,
    }


def _owner(token: Token, body: Mapping[str, object]) -> Namespace:
    name = text(body, "organization", default=token.user.namespace.name)
    found = accounts.namespace(name)
    if found is None or not accounts.may_publish(token.user, found):
        raise MayNotPublish(f"expected somebody who acts for {name[:80]!r}")
    return found
