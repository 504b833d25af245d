# SPDX-License-Identifier: Apache-2.0
"""Refs and the history of a project, as `list_repo_refs` and `list_repo_commits` read them."""

from __future__ import annotations

from django.http import HttpResponse

from registry.catalog.queries import Project, pulls, revisions
from registry.catalog.queries.revisions import Kind, Ref, Revision

from .answers import Asked, answer, flag, limit_of, link_to, number_of

MAX_LISTED = 100
MAX_PULLS = 1000
MAX_PAGES = 1000  # a page is found by walking to it


def refs(asked: Asked, project: Project) -> HttpResponse:
    """All branches and tags; pull requests if they are asked for."""
    found = list(revisions.refs(project))
    body: dict[str, object] = {
        "branches": [_ref(each) for each in found if each.kind == Kind.BRANCH],
        "tags": [_ref(each) for each in found if each.kind == Kind.TAG],
        "converts": [],
    }
    if flag(asked.request, "include_prs"):
        body["pullRequests"] = _proposed(project)
    return answer(body)


def commits(asked: Asked, project: Project) -> HttpResponse:
    """The revision and those before it, the newest first."""
    request, found = asked.request, revisions.find_any(project, asked.revision)
    limit = limit_of(request, most=MAX_LISTED)
    page = number_of(request.GET.get("p") or "0", most=MAX_PAGES - 1)
    rows = revisions.history(found, start=page * limit, limit=limit + 1)
    headers = link_to(request, p=str(page + 1)) if len(rows) > limit else {}
    return answer([commit(each) for each in rows[:limit]], headers)


def _proposed(project: Project) -> list[dict[str, object]]:
    """The newest of those that have commits."""
    found = list(pulls.pulls(project)[:MAX_PULLS])
    heads = pulls.heads(found)
    return [
        {"name": each.ref, "ref": each.ref, "targetCommit": heads[each.pk].oid}
        for each in found
        if each.pk in heads
    ]


def _ref(of: Ref) -> dict[str, object]:
    oid = of.revision.checkpoint.oid
    return {"name": of.name, "ref": of.full_name, "targetCommit": oid}


def commit(of: Revision) -> dict[str, object]:
    """As clients read it."""
    authors = [{"user": of.author.username}] if of.author else []
    return {
        "id": of.checkpoint.oid,
        "title": of.title,
        "message": of.message,
        "authors": authors,
        "date": of.created_at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    }
