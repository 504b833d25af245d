# SPDX-License-Identifier: Apache-2.0
"""The catalogue's pages, for people: the list, a project, a checkpoint. They work without scripts.

catalog/list.html        wanted, found (searching), facets, sorts, newer and older (queries),
                         newest, own (private projects that the viewer sees)
catalog/project.html     project, conduct, checkpoints (Leaf of Checkpoint), taken_down (the newest
                         tombstones), listing, said (described.Described), parents and children
                         (lineage), proposals (pulls.Pull), card (safe HTML or ""), is_own,
                         is_governed, has_files (what a gate keeps), rules (to be accepted
                         first), waiting (how many ask its owner for them)
catalog/checkpoint.html  see `checkpoint`
catalog/files.html       asked (what was typed), digest (hexadecimal, or "" if that is none), known
                         (digests.Known or None)
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Generic, TypeVar
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from assay.signing.digests import as_id
from registry.accounts import reading
from registry.accounts.queries import User, may_govern, may_publish
from registry.api.numbers import LAST_KEY, whole
from registry.conduct import queries as conduct
from registry.conduct import wording
from registry.ledger import queries as ledger
from registry.ledger.queries import Statement

from .. import datacite, queries
from ..content import contents, described, tensors
from ..errors import NotFound
from ..models import Checkpoint, File, Project, State
from ..queries import (
    citing,
    digests,
    dois,
    evaluations,
    exporting,
    gates,
    lineage,
    pulls,
    searching,
    takedowns,
)
from ..queries.searching import Found, Place, Sort, Wanted

Row = TypeVar("Row", bound=Model)

PAGE_SIZE = 30
NEWEST = 6
MOST_VALUES = 12  # of a facet; the others are found by words
FACET_TITLES = {
    "task": gettext_lazy("Task"),
    "size": gettext_lazy("Parameters"),
    "licence": gettext_lazy("Licence"),
    "trained": gettext_lazy("Trained"),
    "verified": gettext_lazy("Proven by"),
    "conduct": gettext_lazy("Conduct"),
}
# Of values that are words of ours; all others say themselves.
VALUE_TITLES = {
    "under-100m": gettext_lazy("below 100 million"),
    "100m-1b": gettext_lazy("100 million to 1 billion"),
    "1b-3b": gettext_lazy("1 to 3 billion"),
    "3b-8b": gettext_lazy("3 to 8 billion"),
    "8b-30b": gettext_lazy("8 to 30 billion"),
    "30b-100b": gettext_lazy("30 to 100 billion"),
    "over-100b": gettext_lazy("100 billion and more"),
    "run": gettext_lazy("in the pool"),
    "person": gettext_lazy("elsewhere"),
}
# The same, in a facet that means something else by them.
PROOF_TITLES = {
    "run": gettext_lazy("a run in the pool"),
    "publisher": gettext_lazy("a CI job's identity"),
    "person": gettext_lazy("a person's word"),
}
SORT_TITLES = {
    Sort.RELEVANCE: gettext_lazy("best match"),
    Sort.UPDATED: gettext_lazy("last changed"),
    Sort.CREATED: gettext_lazy("newest"),
    Sort.DOWNLOADS: gettext_lazy("most downloads"),
}
ASKED = frozenset({"q", "sort", *FACET_TITLES})


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf(Generic[Row]):
    """Some rows of many, and the queries that lead to those around them; empty at the ends."""

    rows: Sequence[Row]
    newer: str
    older: str


@require_safe
def project_list(request: HttpRequest) -> HttpResponse:
    """/projects?q=…&task=…: what is looked for, or everything, the newest first."""
    wanted = Wanted.parse(request.GET.dict())
    found = searching.find(wanted, cursor=request.GET.get("cursor", ""), limit=PAGE_SIZE)
    viewer = reading.viewer(request, reading.CHECKPOINTS)
    is_asked = bool(wanted.words or wanted.facets)
    context = {
        "wanted": wanted,
        "found": found,
        "facets": [_facet(request, wanted, found, name) for name in FACET_TITLES],
        "sorts": [(each.value, SORT_TITLES[each], each == found.sort) for each in _sorts(wanted)],
        "newer": _cursor(request, found.previous),
        "older": _cursor(request, found.next),
        "newest": () if is_asked else queries.as_rows(queries.visible(None))[:NEWEST],
        "own": () if is_asked else queries.private_projects(viewer)[:PAGE_SIZE],
    }
    return render(request, "catalog/list.html", context)


@require_safe
def project(request: HttpRequest, owner: str, project: str) -> HttpResponse:
    """/{owner}/{project}."""
    viewer = reading.viewer(request, reading.CHECKPOINTS)
    found = _project(owner, project, viewer)
    is_governed = isinstance(request.user, User) and may_govern(request.user, found.owner)
    at = found.listing.checkpoint
    context = {
        "project": found,
        "has_files": gates.admits(found, viewer),
        "rules": gates.rules_to_accept(found, viewer),
        "conduct": found.conduct,
        "checkpoints": _leaf(request, queries.as_rows(queries.published_in(found))),
        "taken_down": takedowns.left_of(found)[:PAGE_SIZE],
        "listing": found.listing,
        "said": described.of(at),
        "parents": lineage.parents(at, viewer) if at else (),
        "children": lineage.children(found),
        "proposals": pulls.as_rows(pulls.proposing(found))[:NEWEST],
        "card": _card(at) if at and at.state == State.PUBLISHED else "",
        "is_own": isinstance(request.user, User) and may_publish(request.user, found.owner),
        "is_governed": is_governed,
        "waiting": gates.waiting(found) if is_governed else 0,
    }
    return render(request, "catalog/project.html", context)


@require_safe
def checkpoint(request: HttpRequest, owner: str, project: str, checkpoint: str) -> HttpResponse:
    """/{owner}/{project}/{checkpoint}: what it is, whose it is, and how to get and verify it.

    checkpoint, project, id (`sha256:…`), files, signature and sigstore (each with `url`), run
    (RunClaim or None), dataset, conduct (PolicyVersion), clauses (its wording.ReadClause), signed
    (rows: role, signer, index), card (safe HTML or ""), said (described.Described), contents
    (contents.Contents), forms (names of citations), parents (lineage.Parent), has_files (what a
    gate keeps), rules (to be accepted first), names_tensors (whether the statement does), said_of
    (evaluations.Said, of members and of others), declared (evaluations.Declared, by the card), doi
    (dois.Doi or None), is_governed, has_dois (whether its owner may ask for one), exports (names).
    """
    viewer = reading.viewer(request, reading.CHECKPOINTS)
    try:
        found = queries.checkpoint_named(owner, project, checkpoint, viewer)
    except NotFound as error:
        raise Http404(str(error.detail)) from error
    is_down = found.state == State.TAKEN_DOWN  # its page is all that is left of it
    signature = None if is_down else queries.signature(found)
    sigstore = None if is_down else queries.sigstore(found)
    context = {
        "checkpoint": found,
        "project": found.project,
        "has_files": gates.admits(found.project, viewer),
        "rules": gates.rules_to_accept(found.project, viewer),
        "id": as_id(found.manifest_sha256),
        "files": [_with_url(file) for file in queries.files(found)],
        "signature": _with_url(signature) if signature else None,
        "sigstore": _with_url(sigstore) if sigstore else None,
        "run": queries.run_claim(found),
        "dataset": found.dataset,
        "conduct": found.conduct,
        "clauses": wording.clauses(conduct.rules(found.conduct)),
        "signed": _signed(found),
        "said": described.of(found),
        "parents": lineage.parents(found, viewer),
        "contents": contents.of(found),
        "names_tensors": tensors.names_any(found),
        "said_of": evaluations.newest(found),
        "declared": evaluations.declared(found),
        "forms": tuple(citing.FORMS) if signature else (),
        "exports": exporting.names(found) if signature else (),
        **_doi(request, found),
        "card": "" if is_down else _card(found),
    }
    return render(request, "catalog/checkpoint.html", context)


@require_safe
def citation(
    request: HttpRequest, owner: str, project: str, checkpoint: str, name: str
) -> HttpResponse:
    """/{owner}/{project}/{checkpoint}/citation/{name}: how it is cited, in one of the forms."""
    if name not in citing.FORMS:
        raise NotFound(f"expected one of {', '.join(citing.FORMS)}")
    media_type, form = citing.FORMS[name]
    viewer = reading.viewer(request, reading.CHECKPOINTS)
    content = form(queries.checkpoint_named(owner, project, checkpoint, viewer))
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-cache"}
    return HttpResponse(content, content_type=media_type, headers=headers)


@require_safe
def file(_request: HttpRequest, sought: str) -> HttpResponse:
    """/files/{sha256}: an address to hand on; the page is the one that answers a form."""
    return redirect(f"/files?{urlencode({'digest': sought})}")


@require_safe
def files(request: HttpRequest) -> HttpResponse:
    """/files?digest=…: who published a file that somebody already has."""
    asked = request.GET.get("digest", "")
    # As it stands in a document, or as sha256sum and openssl print it.
    found = re.search(r"\b[0-9a-f]{64}\b", asked.lower())
    digest = found[0] if found else ""
    viewer = reading.viewer(request, reading.CHECKPOINTS)
    known, status = None, HTTPStatus.BAD_REQUEST if asked and not digest else HTTPStatus.OK
    if digest:
        try:
            known = digests.known(digest, viewer)
        except NotFound:
            status = HTTPStatus.NOT_FOUND
    context = {"asked": asked, "digest": digest, "known": known}
    return render(request, "catalog/files.html", context, status=status)


def _doi(request: HttpRequest, of: Checkpoint) -> Mapping[str, object]:
    is_governed = isinstance(request.user, User) and may_govern(request.user, of.project.owner)
    has_dois = is_governed and datacite.is_configured() and queries.is_everybodys(of)
    return {"doi": dois.of(of), "is_governed": is_governed, "has_dois": has_dois}


def _card(of: Checkpoint | None) -> str:
    return mark_safe(of.card_html) if of else ""  # noqa: S308 - kept as cards.render made it


def _project(owner: str, name: str, viewer: User | None) -> Project:
    try:
        return queries.project(owner, name, viewer)
    except NotFound as error:
        raise Http404(str(error.detail)) from error


def _leaf(request: HttpRequest, rows: QuerySet[Row]) -> Leaf[Row]:
    """A page of what is in the order of its keys, the newest first: by where another one ended."""
    after, before = (_number(request.GET.get(name, "")) for name in ("after", "before"))
    if after:
        later = list(rows.filter(pk__gt=after).order_by("pk")[: PAGE_SIZE + 1])
        shown, has_newer, has_older = later[:PAGE_SIZE][::-1], len(later) > PAGE_SIZE, True
    else:
        earlier = list((rows.filter(pk__lt=before) if before else rows)[: PAGE_SIZE + 1])
        shown, has_newer, has_older = earlier[:PAGE_SIZE], before > 0, len(earlier) > PAGE_SIZE
    return Leaf(
        rows=shown,
        newer=f"after={shown[0].pk}" if shown and has_newer else "",
        older=f"before={shown[-1].pk}" if shown and has_older else "",
    )


def _number(text: str) -> int:
    return whole(text, most=LAST_KEY) or 0


def _facet(request: HttpRequest, wanted: Wanted, found: Found, name: str) -> dict[str, object]:
    """A facet's values, each with the address that chooses it, or that lets it go."""
    chosen = wanted.facets.get(name, "")
    titles = PROOF_TITLES if name == "verified" else VALUE_TITLES
    return {
        "title": FACET_TITLES[name],
        "chosen": titles.get(chosen, chosen),
        "without": _asking(request, **{name: ""}),
        "values": [
            (titles.get(value, value), _asking(request, **{name: value}), count)
            for value, count in found.facets[name][:MOST_VALUES]
            if value != chosen
        ],
    }


def _sorts(wanted: Wanted) -> list[Sort]:
    return [each for each in Sort if wanted.words or each != Sort.RELEVANCE]


def _cursor(request: HttpRequest, place: Place | None) -> str:
    return _asking(request, cursor=place.signed()) if place else ""


def _asking(request: HttpRequest, **changed: str) -> str:
    """The same question with these answers; empty ones are left out, and it starts anew."""
    given = {name: value for name, value in request.GET.items() if name in ASKED}
    return urlencode({name: value for name, value in {**given, **changed}.items() if value})


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
        ("takedown", takedowns.in_ledger(of)),
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
