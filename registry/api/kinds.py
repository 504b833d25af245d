# SPDX-License-Identifier: Apache-2.0
"""`/errors/CODE`: what a problem's `type` leads to, in a sentence, for whoever follows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from assay.signing.errors import AssayError

from .problems import TITLES, Problem, heading

Refusal = TypeVar("Refusal", bound=Exception)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of problem: all that share a code share a status."""

    code: str
    title: str
    status: int
    meaning: str


def kinds() -> Mapping[str, Kind]:
    """Every kind that this registry answers with, by code."""
    framework = (
        Kind(code=code, title=title, status=error.status_code, meaning=f"{title}.")
        for error, (code, title) in TITLES.items()
    )
    library = (
        _kind(error, *heading(error))
        for error in _subclasses(AssayError)
        if "code" in vars(error)  # not that of the class above it
    )
    own = (_kind(error, error.title, error.status_code) for error in _subclasses(Problem))
    return {kind.code: kind for kind in (*framework, *library, *own)}


@require_safe
def problem_kind(request: HttpRequest, code: str) -> HttpResponse:
    """The page."""
    kind = kinds().get(code)
    if kind is None:
        raise Http404("expected the code of a problem")
    return render(request, "api/problem.html", {"kind": kind})


def _kind(error: type[AssayError | Problem], title: str, status: int) -> Kind:
    meaning = (error.__doc__ or "").strip().partition("\n")[0]
    return Kind(code=error.code, title=title, status=status, meaning=meaning)


def _subclasses(of: type[Refusal]) -> Iterator[type[Refusal]]:
    for one in of.__subclasses__():
        yield one
        yield from _subclasses(one)
