# SPDX-License-Identifier: Apache-2.0
"""The questions that MLflow's clients read a registry by; all others are 404 in their words."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from registry.api.problems import REFUSALS, NotFound
from registry.catalog import queries as catalog
from registry.catalog.queries import Checkpoint, Project, revisions
from registry.catalog.queries.revisions import Ref
from registry.hub.callers import Caller, caller
from registry.hub.errors import WrongMethod
from registry.hub.files import RepoFile, below, files_of

from . import documents, queries
from .errors import refused

logger = logging.getLogger(__name__)

SEGMENTS = 3  # owner, project, revision


def endpoint(
    handler: Callable[[HttpRequest, Caller], object],
) -> Callable[[HttpRequest], HttpResponse]:
    """A view that answers a document, to whoever has a good token or none."""

    @csrf_exempt
    @functools.wraps(handler)
    def view(request: HttpRequest) -> HttpResponse:
        try:
            if request.method not in {"GET", "HEAD"}:
                raise WrongMethod("expected GET: models are only read this way")
            by = caller(request.headers.get("Authorization"))
            return JsonResponse(handler(request, by))
        except REFUSALS as error:
            found = refused(error)
            if found is None:
                raise
            logger.info("%s %s: %s", request.method, request.path, error)
            return found

    return view


@endpoint
def search_models(request: HttpRequest, by: Caller) -> object:
    """Projects, the newest first."""
    rows, token = queries.page(queries.models(by, _said(request, "filter")), *_page(request))
    heads = revisions.heads([row.pk for row in rows])
    listed = [documents.model(row, _newest(heads.get(row.pk))) for row in rows]
    return {"registered_models": listed, "next_page_token": token}


@endpoint
def get_model(request: HttpRequest, by: Caller) -> object:
    """One project, with what its refs call its checkpoints."""
    of = queries.project(by, _said(request, "name"))
    newest = catalog.published_in(of).first()
    return {"registered_model": documents.model(of, newest, revisions.refs(of))}


@endpoint
def by_alias(request: HttpRequest, by: Caller) -> object:
    """The version that a branch, a tag or an oid stands for."""
    of, alias = queries.project(by, _said(request, "name")), _said(request, "alias")
    found = revisions.find(of, alias).checkpoint
    if found is None:
        raise NotFound(f"expected a published checkpoint, but {of} has none yet")
    return {"model_version": _version(of, found)}


@endpoint
def search_versions(request: HttpRequest, by: Caller) -> object:
    """Checkpoints, the newest first."""
    rows, token = queries.page(queries.versions(by, _said(request, "filter")), *_page(request))
    return {"model_versions": [documents.version(row) for row in rows], "next_page_token": token}


@endpoint
def get_version(request: HttpRequest, by: Caller) -> object:
    """One checkpoint."""
    of = queries.project(by, _said(request, "name"))
    return {"model_version": _version(of, queries.checkpoint(of, _said(request, "version")))}


@endpoint
def download_uri(request: HttpRequest, by: Caller) -> object:
    """Where its files are."""
    of = queries.project(by, _said(request, "name"))
    found = queries.checkpoint(of, _said(request, "version"))
    return {"artifact_uri": documents.source(found)}


@endpoint
def artifacts(request: HttpRequest, by: Caller) -> object:
    """What is in a folder of a revision; a file is in none of its own."""
    owner, name, revision, *path = [*_said(request, "path").strip("/").split("/"), "", ""]
    of = queries.project(by, f"{owner}.{name}")
    folder = "/".join(path).strip("/")
    found = below(files_of(revisions.find(of, revision)), folder, is_recursive=False)
    return {"files": [_file(each.path, each) for each in found]}


def _version(of: Project, found: Checkpoint) -> dict[str, object]:
    refs = revisions.refs(of).filter(revision__checkpoint=found)
    names = [ref.name for ref in refs if documents.ALIAS.fullmatch(ref.name)]
    return documents.version(found, names)


def _newest(head: Ref | None) -> Checkpoint | None:
    return head.revision.checkpoint if head else None


def _file(path: str, of: object) -> dict[str, object]:
    name = path.rpartition("/")[2]
    if isinstance(of, RepoFile):
        return {"path": name, "is_dir": False, "file_size": of.size_bytes}
    return {"path": name, "is_dir": True}


def _said(request: HttpRequest, name: str) -> str:
    return request.GET.get(name, "")


def _page(request: HttpRequest) -> tuple[str, str]:
    return _said(request, "page_token"), _said(request, "max_results")
