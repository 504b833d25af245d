# SPDX-License-Identifier: Apache-2.0
"""The page of one output: its text, its claim, what was asked, and the links behind it."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from registry.api.problems import NotFound

from . import queries
from .models import State


@require_safe
def output(request: HttpRequest, output_id: uuid.UUID) -> HttpResponse:
    """`outputs/output.html` with output, checkpoint, is_signed, sampling and evidence (or None)."""
    try:
        found = queries.output(output_id, request.user)
    except NotFound as error:
        raise Http404(str(error.detail)) from error
    is_signed = found.state == State.SIGNED
    context = {
        "output": found,
        "checkpoint": found.checkpoint,
        "is_signed": is_signed,
        "sampling": found.sampling,
        "evidence": queries.evidence(found) if is_signed else None,
    }
    return render(request, "outputs/output.html", context)
