# SPDX-License-Identifier: Apache-2.0
"""Addresses that clients print for people to follow: they lead to the checkpoint's own page."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from registry.accounts import reading
from registry.catalog import queries as catalog
from registry.catalog.errors import NotFound as NotInCatalogue
from registry.catalog.errors import RevisionUnknown
from registry.catalog.queries import pulls, revisions

from . import addresses
from .answers import Asked, endpoint
from .errors import RepoUnknown

REVISION = 3  # owner, name, verb, revision


@require_safe
def to_checkpoint(request: HttpRequest, owner: str, name: str) -> HttpResponse:
    """`/{owner}/{name}/commit|tree|blob/{revision}[/…]`: the page of the checkpoint that it is."""
    try:
        of = catalog.project(owner, name, reading.viewer(request, reading.CHECKPOINTS))
        found = revisions.find_any(of, addresses.of_request(request)[REVISION])
    except (NotInCatalogue, RevisionUnknown) as error:
        raise Http404(str(error.detail)) from error
    at = found.checkpoint
    if at is not None and at.project_id != of.pk:
        return redirect(pulls.of_line(at.project).path)
    return redirect(at.path if at else of.path)


@endpoint
def other_kinds(asked: Asked) -> HttpResponse:
    """Data sets and spaces are no repositories here."""
    raise RepoUnknown(f"expected a model, found {asked.words[0][:80]!r}: nothing else is here yet")
