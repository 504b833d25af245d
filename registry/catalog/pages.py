# SPDX-License-Identifier: Apache-2.0
"""The catalogue's pages, for people: the list, a project, a checkpoint. They work without scripts.

catalog/list.html        projects (page of Project), newest (Checkpoints)
catalog/project.html     project, conduct, checkpoints (page of Checkpoint), listing, said
                         (described.Described), card (safe HTML or ""), is_own
catalog/checkpoint.html  see `checkpoint`
catalog/files.html       asked (what was typed), digest (hexadecimal, or "" if that is none), known
                         (digests.Known or None)
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TypeVar

from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_safe

from assay.signing.digests import as_id
from registry.accounts import reading
from registry.accounts.queries import User, may_publish
from registry.ledger import queries as ledger
from registry.ledger.queries import Statement

from . import contents, described, digests, queries
from .errors import NotFound
from .models import Checkpoint, File, Project

Row = TypeVar("Row", bound=Model)

PAGE_SIZE = 30
NEWEST = 6


@require_safe
def project_list(request: HttpRequest) -> HttpResponse:
    """/projects."""
    context = {
        "projects": _page(request, queries.projects()),
        "newest": queries.visible(None)[:NEWEST],
    }
    return render(request, "catalog/list.html", context)


@require_safe
def project(request: HttpRequest, owner: str, project: str) -> HttpResponse:
    """/{owner}/{project}."""
    found = _project(owner, project)
    context = {
        "project": found,
        "conduct": found.conduct,
        "checkpoints": _page(request, queries.published_in(found)),
        "listing": found.listing,
        "said": described.of(found.listing.checkpoint),
        "card": _card(found.listing.checkpoint),
        "is_own": isinstance(request.user, User) and may_publish(request.user, found.owner),
    }
    return render(request, "catalog/project.html", context)


@require_safe
def checkpoint(request: HttpRequest, owner: str, project: str, checkpoint: str) -> HttpResponse:
    """/{owner}/{project}/{checkpoint}: what it is, whose it is, and how to get and verify it.

    checkpoint, project, id (`sha256:…`), files, signature and sigstore (each with `url`), run
    (RunClaim or None), dataset, conduct (PolicyVersion), signed (rows: role, signer, index), card
    (safe HTML or ""), said (described.Described), contents (contents.Contents).
    """
    viewer = reading.viewer(request, reading.CHECKPOINTS)
    try:
        found = queries.checkpoint_named(owner, project, checkpoint, viewer)
    except NotFound as error:
        raise Http404(str(error.detail)) from error
    signature, sigstore = queries.signature(found), queries.sigstore(found)
    context = {
        "checkpoint": found,
        "project": found.project,
        "id": as_id(found.manifest_sha256),
        "files": [_with_url(file) for file in queries.files(found)],
        "signature": _with_url(signature) if signature else None,
        "sigstore": _with_url(sigstore) if sigstore else None,
        "run": queries.run_claim(found),
        "dataset": found.dataset,
        "conduct": found.conduct,
        "signed": _signed(found),
        "said": described.of(found),
        "contents": contents.of(found),
        "card": _card(found),
    }
    return render(request, "catalog/checkpoint.html", context)


@require_safe
def files(request: HttpRequest) -> HttpResponse:
    """/files?digest=…: who published a file that somebody already has."""
    asked = request.GET.get("digest", "")
    # As it stands in a document, or as sha256sum and openssl print it.
    found = re.search(r"\b[0-9a-f]{64}\b", asked.lower())
    digest = found[0] if found else ""
    known, status = None, HTTPStatus.BAD_REQUEST if asked and not digest else HTTPStatus.OK
    if digest:
        try:
            known = digests.known(digest)
        except NotFound:
            status = HTTPStatus.NOT_FOUND
    context = {"asked": asked, "digest": digest, "known": known}
    return render(request, "catalog/files.html", context, status=status)


def _card(of: Checkpoint | None) -> str:
    """Rendered by cards.render when it was received: nothing of it can act."""
    return mark_safe(of.card_html) if of else ""  # noqa: S308


def _project(owner: str, name: str) -> Project:
    try:
        return queries.project(owner, name)
    except NotFound as error:
        raise Http404(str(error.detail)) from error


def _page(request: HttpRequest, rows: QuerySet[Row]) -> Page[Row]:
    return Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))


def _with_url(file: File) -> dict[str, object]:
    return {
        "name": file.name,
        "sha256": file.sha256,
        "size": file.size,
        "url": queries.file_url(file),
    }


def _signed(of: Checkpoint) -> list[dict[str, object]]:
    """The statements behind a checkpoint: what each is, who signed it, where it is logged."""
    dataset = of.dataset
    found: list[tuple[str, Statement | None]] = [
        ("checkpoint", of.statement),
        ("model.sig", of.oms_statement),
        ("run", of.run_statement),
        ("dataset", dataset.statement if dataset else None),
        ("conduct", of.conduct.statement),
    ]
    signatories = ledger.signatories(each for _, each in found if each is not None)
    return [
        {
            "role": role,
            "index": statement.entry.index,
            "signer": signatories[statement.sha256],
        }
        for role, statement in found
        if statement is not None
    ]
