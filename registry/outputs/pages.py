# SPDX-License-Identifier: Apache-2.0
"""The page of one output: its text, its claim, what was asked, and the links behind it."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from registry.accounts import reading
from registry.api.problems import NotFound

from . import queries


@require_safe
def output(request: HttpRequest, output_id: uuid.UUID) -> HttpResponse:
    """`outputs/output.html` with output, checkpoint and sampling; a tag reads its tree."""
    try:
        found = queries.output(output_id, reading.viewer(request, reading.OUTPUTS))
    except NotFound as error:
        raise Http404(str(error.detail)) from error
    context = {"output": found, "checkpoint": found.checkpoint, "sampling": found.sampling}
    return render(request, "outputs/output.html", context)
