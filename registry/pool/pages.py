# SPDX-License-Identifier: Apache-2.0
"""A run's page: its recipe, losses as they fall, checkpoints, who works on it; and its events."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from registry.accounts import reading
from registry.api.problems import NotFound
from registry.catalog import queries as catalog
from registry.events import stream

from . import queries

RUN = "run:"


@require_safe
async def events(request: HttpRequest) -> HttpResponseBase:
    """/events: what happens to runs, told to those who may see them."""

    def hides(topics: frozenset[str]) -> frozenset[str]:
        viewer = reading.viewer(request, reading.CHECKPOINTS)
        ids = {topic.removeprefix(RUN) for topic in topics if topic.startswith(RUN)}
        return frozenset(f"{RUN}{each}" for each in queries.hidden(ids, viewer))

    return await stream.events(request, hides)


@require_safe
def run(request: HttpRequest, owner: str, project: str, run_id: uuid.UUID) -> HttpResponse:
    """`pool/run.html` with run, project, leases and checkpoints; its tags read the losses."""
    try:
        found = queries.visible_run(run_id, reading.viewer(request, reading.CHECKPOINTS))
    except NotFound as error:
        raise Http404(str(error.detail)) from error
    if found.project.full_name != f"{owner}/{project}":
        raise Http404("expected a run of this project")
    context = {
        "run": found,
        "project": found.project,
        "leases": queries.leases_of(found),
        "checkpoints": catalog.as_rows(catalog.published_by_run(str(found.id))),
    }
    return render(request, "pool/run.html", context)
