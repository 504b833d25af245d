# SPDX-License-Identifier: Apache-2.0
"""What a repository is, as `model_info` reads it; and lists of repositories, searched and paged."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils.dateparse import parse_datetime

from assay.signing.digests import as_id
from registry.catalog import queries as catalog
from registry.catalog import revisions
from registry.catalog.queries import Checkpoint, File, Project
from registry.catalog.revisions import MAIN, Ref

from .answers import Asked, answer, cursor_of, endpoint, flag, limit_of, next_page
from .entries import Entry, entries
from .errors import Unreadable, WrongMethod

MAX_LISTED = 100
MAX_SEARCH_CHARACTERS = 100
SAFETENSORS = "safetensors"
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
        "tags": _tags(project, files),
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
        "downloads": 0,
        "likes": 0,
        "tags": _tags(project),
        "library_name": None,
        "pipeline_tag": None,
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
    for tag in request.GET.getlist("filter"):
        for each in tag.split(","):
            rows = rows.filter(Exists(_weights())) if each == SAFETENSORS else rows.none()
    return rows


def _weights() -> QuerySet[File]:
    """Files of safetensors on `main`."""
    main = Ref.objects.filter(project=OuterRef(OuterRef("pk")), name=MAIN)
    return File.objects.filter(
        checkpoint__in=main.values("revision__checkpoint"), name__endswith=f".{SAFETENSORS}"
    )


def _sorted(request: HttpRequest, rows: QuerySet[Project]) -> QuerySet[Project]:
    sort = request.GET.get("sort") or "createdAt"
    if sort not in SORTS:
        raise Unreadable(f"expected sort to be {', '.join(sorted(SORTS))}, found {sort[:40]!r}")
    if sort != LAST_MODIFIED:
        return rows.annotate(moved_at=F("created_at")).order_by("-created_at", "-pk")
    main = Ref.objects.filter(project=OuterRef("pk"), name=MAIN)
    moved_at = Subquery(main.values("revision__checkpoint__published_at")[:1])
    return rows.annotate(moved_at=moved_at).exclude(moved_at=None).order_by("-moved_at", "-pk")


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


def _tags(project: Project, files: list[Entry] | None = None) -> list[str]:
    under = project.conduct
    found = [f"conduct:{under.policy_id}/{under.version}"]
    if any(file.path.endswith(f".{SAFETENSORS}") for file in files or ()):
        found.append(SAFETENSORS)
    return found


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
