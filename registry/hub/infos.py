# SPDX-License-Identifier: Apache-2.0
"""What a repository is, as `model_info` reads it; and lists of repositories, searched and paged."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.dateparse import parse_datetime

from assay.signing.digests import as_id
from registry.api.numbers import LAST_KEY, whole
from registry.catalog import queries as catalog
from registry.catalog.content import contents, described
from registry.catalog.content.contents import Contents
from registry.catalog.queries import Checkpoint, Project, revisions, searching
from registry.catalog.queries.gates import Gate
from registry.catalog.queries.revisions import Ref
from registry.catalog.services import listings

from .answers import Asked, answer, cursor_of, endpoint, flag, limit_of, next_page
from .errors import Unreadable, WrongMethod
from .files import RepoFile, files_of

MAX_LISTED = 100
MAX_SEARCH_CHARACTERS = 100
GATES: Mapping[str, object] = {Gate.OPEN: False, Gate.ASKS: "manual", Gate.AUTOMATIC: "auto"}
SIZE = re.compile(r"(?P<end>min|max):(?P<number>[0-9]{1,6}(\.[0-9]{1,6})?)(?P<unit>[KMBTkmbt]?)")
UNITS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
ENDS = {"min": "gte", "max": "lte"}
LAST_MODIFIED = "lastModified"
CREATED = "createdAt"
# Nobody likes anything here, and what trends is what is downloaded.
SORTS = {
    CREATED: "listing__project_id",
    LAST_MODIFIED: "listing__updated_at",
    "downloads": "listing__downloads",
    "likes": "listing__downloads",
    "trendingScore": "listing__downloads",
}


def info(asked: Asked, project: Project) -> HttpResponse:
    """One repository at one revision; `blobs` adds what its files are called by git."""
    found = revisions.find_any(project, asked.revision)
    files = files_of(found)
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
    sort, limit = request.GET.get("sort") or CREATED, limit_of(request, most=MAX_LISTED)
    standing = catalog.projects(asked.by.viewer).filter(taken_down_at=None)
    wanted = _sorted(_wanted(request, standing), sort)
    rows = list(_after(wanted, sort, cursor_of(request))[: limit + 1])
    page = rows[:limit]
    heads = revisions.heads([row.pk for row in page])
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
        "createdAt": time_of(project.created_at),
        "lastModified": time_of((at and at.published_at) or project.created_at),
        "private": not project.is_public,
        "gated": GATES[project.gate],
        "disabled": False,
        "downloads": listed.downloads,
        "likes": 0,
        "tags": listed.tags,
        "library_name": listed.library or None,
        "pipeline_tag": listed.task or None,
    }
    if at is not None:
        is_own = at.project_id == project.pk  # what is proposed has no page of its own
        body["assay"] = {
            "id": as_id(at.manifest_sha256),
            "run": at.run_id,
            "url": settings.PUBLIC_URL + (at.path if is_own else project.path),
        }
    return body


def _wanted(request: HttpRequest, rows: QuerySet[Project]) -> QuerySet[Project]:
    if author := request.GET.get("author"):
        rows = rows.filter(owner__name=author)
    if task := request.GET.get("pipeline_tag"):
        rows = rows.filter(listing__task=task)
    if sizes := request.GET.get("num_parameters"):
        rows = rows.filter(_sized(sizes))
    # 0.36 sends a model's name and what is searched besides as two.
    if words := " ".join(request.GET.getlist("search"))[:MAX_SEARCH_CHARACTERS].strip():
        query = searching.query_of(words)
        rows = rows.none() if query is None else rows.filter(listing__vector=query)
    if request.GET.get("gated"):
        is_open = Q(gate=Gate.OPEN)
        rows = rows.filter(~is_open if flag(request, "gated") else is_open)
    wanted = [each for tag in request.GET.getlist("filter") for each in tag.split(",") if each]
    return rows.filter(listing__labels__contains=wanted) if wanted else rows


def _sized(given: str) -> Q:
    """How many parameters: `min:6B,max:128B`, or one of them, as the Hub writes it."""
    found = Q()
    for each in given.split(",", 2):
        read = SIZE.fullmatch(each.strip())
        if read is None:
            raise Unreadable(f"expected num_parameters like min:6B,max:128B, found {given[:40]!a}")
        count = int(Decimal(read["number"]) * UNITS[read["unit"].upper()])
        found &= Q((f"listing__parameters__{ENDS[read['end']]}", count))
    return found


def _sorted(rows: QuerySet[Project], sort: str) -> QuerySet[Project]:
    if sort not in SORTS:
        raise Unreadable(f"expected sort to be {', '.join(SORTS)}, found {sort[:40]!r}")
    if sort == LAST_MODIFIED:
        rows = rows.exclude(listing__checkpoint=None)
    found = rows.filter(listing__isnull=False).annotate(place=F(SORTS[sort]))
    return found.order_by("-place", "-listing__project_id")


def _after(rows: QuerySet[Project], sort: str, cursor: str) -> QuerySet[Project]:
    if not cursor:
        return rows
    at, _, key = cursor.partition("|")
    place = _moment(at) if sort == LAST_MODIFIED else _number(at)
    if place is None or _number(key) is None:
        raise Unreadable("expected a cursor out of a Link header, found another")
    field, last = SORTS[sort], Q(listing__project_id__lt=_number(key))
    return rows.filter(Q((f"{field}__lt", place)) | last, Q((f"{field}__lte", place)))


def _number(text: str) -> int | None:
    return whole(text, most=LAST_KEY)


def _moment(text: str) -> datetime | None:
    """In UTC, as the database asks for it: near the ends of time there is none."""
    try:
        found = parse_datetime(text)
        return found.astimezone(UTC) if found is not None and found.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _place(row: Project) -> str:
    place: datetime | int = getattr(row, "place")  # noqa: B009 - an annotation of the query's
    return f"{place.isoformat() if isinstance(place, datetime) else place}|{row.pk}"


def _checkpoint(heads: Mapping[int, Ref], row: Project) -> Checkpoint | None:
    ref = heads.get(row.pk)
    return ref.revision.checkpoint if ref else None


def _described(project: Project, at: Checkpoint | None) -> dict[str, object]:
    """What this very revision's card and files say, which may be another than the newest."""
    card = described.of(at)
    found = contents.of(at) if at else Contents()
    named = f"{project.conduct.policy_id}/{project.conduct.version}"
    body: dict[str, object] = {
        "tags": listings.labels(card, found, named, listings.verified(at)),
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


def _sibling(file: RepoFile, *, has_blobs: bool) -> dict[str, object]:
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


def time_of(at: datetime) -> str:
    """As clients read it."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
