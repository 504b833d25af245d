# SPDX-License-Identifier: Apache-2.0
"""What a repository is, as `model_info` reads it; and lists of repositories, searched and paged."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.dateparse import parse_datetime

from assay.signing.digests import as_id
from registry.catalog import contents, described, listings, revisions
from registry.catalog import queries as catalog
from registry.catalog.contents import Contents
from registry.catalog.queries import Checkpoint, Project
from registry.catalog.revisions import Ref

from .answers import Asked, answer, cursor_of, endpoint, flag, limit_of, next_page
from .entries import Entry, entries
from .errors import Unreadable, WrongMethod

MAX_LISTED = 100
MAX_SEARCH_CHARACTERS = 100
LAST_MODIFIED = "lastModified"
# Nothing is counted yet by which the others could be told apart: these are by age.
SORTS = frozenset({LAST_MODIFIED, "trendingScore", "createdAt", "downloads", "likes"})


def info(asked: Asked, project: Project) -> HttpResponse:
    """One repository at one revision; `blobs` adds what its files are called by git."""
    found = revisions.find(project, asked.revision)
    files = entries(found)
    has_blobs = flag(asked.request, "blobs")
    body = {
        **summary(project, found.checkpoint),
        **_described(project, found.checkpoint),
        "config": {},
        "siblings": [_sibling(file, has_blobs=has_blobs) for file in files],
        "usedStorage": sum(file.size_bytes for file in files),
    }
    return answer(body)


@endpoint
def models(asked: Asked) -> HttpResponse:
    """All repositories that the query asks for."""
    request = asked.request
    if request.method not in {"GET", "HEAD"}:
        raise WrongMethod(f"expected GET, found {request.method}", headers={"Allow": "GET"})
    wanted, limit = _sorted(request, _wanted(request)), limit_of(request, most=MAX_LISTED)
    rows = list(_after(wanted, cursor_of(request))[: limit + 1])
    page = rows[:limit]
    heads = revisions.heads(catalog.projects().filter(pk__in=[row.pk for row in page]))
    listed = [summary(row, _checkpoint(heads, row)) for row in page]
    return answer(listed, next_page(request, _place(page[-1]) if len(rows) > limit else None))


def summary(project: Project, at: Checkpoint | None) -> dict[str, object]:
    """What a list says of a repository. `assay` is what no other hub can say."""
    listed = project.listing
    body: dict[str, object] = {
        "_id": f"{project.pk:024x}",
        "id": project.full_name,
        "modelId": project.full_name,
        "author": project.owner.name,
        "sha": at.oid if at else revisions.NO_OID,
        "createdAt": _time(project.created_at),
        "lastModified": _time((at and at.published_at) or project.created_at),
        "private": False,
        "gated": False,
        "disabled": False,
        "downloads": listed.downloads,
        "likes": 0,
        "tags": listed.labels,
        "library_name": listed.library or None,
        "pipeline_tag": listed.task or None,
    }
    if at is not None:
        body["assay"] = {
            "id": as_id(at.manifest_sha256),
            "run": at.run_id,
            "url": settings.PUBLIC_URL + at.path,
        }
    return body


def _wanted(request: HttpRequest) -> QuerySet[Project]:
    rows = catalog.projects()
    if author := request.GET.get("author"):
        rows = rows.filter(owner__name=author)
    for word in request.GET.get("search", "")[:MAX_SEARCH_CHARACTERS].split():
        rows = rows.filter(
            Q(name__icontains=word) | Q(owner__name__icontains=word) | Q(title__icontains=word)
        )
    wanted = [each for tag in request.GET.getlist("filter") for each in tag.split(",") if each]
    return rows.filter(listing__labels__contains=wanted) if wanted else rows


def _sorted(request: HttpRequest, rows: QuerySet[Project]) -> QuerySet[Project]:
    sort = request.GET.get("sort") or "createdAt"
    if sort not in SORTS:
        raise Unreadable(f"expected sort to be {', '.join(sorted(SORTS))}, found {sort[:40]!r}")
    if sort != LAST_MODIFIED:
        return rows.annotate(moved_at=F("created_at")).order_by("-created_at", "-pk")
    moved = rows.exclude(listing__checkpoint=None).annotate(moved_at=F("listing__updated_at"))
    return moved.order_by("-moved_at", "-pk")


def _after(rows: QuerySet[Project], cursor: str) -> QuerySet[Project]:
    if not cursor:
        return rows
    at, _, key = cursor.partition("|")
    moment = _moment(at)
    if moment is None or not (key.isascii() and key.isdigit() and len(key) < len(str(1 << 63))):
        raise Unreadable("expected a cursor out of a Link header, found another")
    return rows.filter(Q(moved_at__lt=moment) | Q(moved_at=moment, pk__lt=int(key)))


def _moment(text: str) -> datetime | None:
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def _place(row: Project) -> str:
    moved_at: datetime = getattr(row, "moved_at")  # noqa: B009 - an annotation of the query's
    return f"{moved_at.isoformat()}|{row.pk}"


def _checkpoint(heads: Mapping[int, Ref], row: Project) -> Checkpoint | None:
    ref = heads.get(row.pk)
    return ref.revision.checkpoint if ref else None


def _described(project: Project, at: Checkpoint | None) -> dict[str, object]:
    """What this very revision's card and files say, which may be another than the newest."""
    card = described.of(at)
    found = contents.of(at) if at else Contents()
    under = project.conduct
    body: dict[str, object] = {
        "tags": listings.labels(card, found, f"{under.policy_id}/{under.version}"),
        "library_name": card.library or None,
        "pipeline_tag": card.task or None,
        "cardData": (at and at.front_matter) or {},
    }
    if found.count is not None:
        body["safetensors"] = {"parameters": found.parameters, "total": found.count}
    if card.base_models:
        models = [{"id": each} for each in card.base_models]
        body["baseModels"] = {"relation": card.relation or None, "models": models}
    return body


def _sibling(file: Entry, *, has_blobs: bool) -> dict[str, object]:
    if not has_blobs:
        return {"rfilename": file.path}
    found: dict[str, object] = {
        "rfilename": file.path,
        "size": file.size_bytes,
        "blobId": file.git_oid,
    }
    if file.is_large:
        size = {"size": file.size_bytes, "pointerSize": len(file.pointer)}
        found["lfs"] = {"sha256": file.sha256, "oid": file.sha256, **size}
    return found


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
