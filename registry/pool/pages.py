# SPDX-License-Identifier: Apache-2.0
"""The page of one run: its recipe, its losses as they fall, its checkpoints and who works on it."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from registry.api.problems import NotFound
from registry.catalog import queries as catalog

from . import queries


@require_safe
def run(request: HttpRequest, owner: str, project: str, run_id: uuid.UUID) -> HttpResponse:
    """`pool/run.html` with run, project, leases and checkpoints; its tags read the losses."""
    try:
        found = queries.run(run_id)
    except NotFound as error:
        raise Http404(str(error.detail)) from error
    if found.project.full_name != f"{owner}/{project}":
        raise Http404("expected a run of this project")
    context = {
        "run": found,
        "project": found.project,
        "leases": queries.leases_of(found),
        "checkpoints": catalog.published_by_runs().filter(run_id=str(found.id)).order_by("step"),
    }
    return render(request, "pool/run.html", context)
