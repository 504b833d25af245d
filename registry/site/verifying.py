# SPDX-License-Identifier: Apache-2.0
"""The page that verifies in the reader's own browser; without a script, what a digest leads to."""

from __future__ import annotations

import re
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from registry.accounts import reading
from registry.outputs import queries as outputs

SHA256 = re.compile(r"\b[0-9a-f]{64}\b")


@require_safe
def verify(request: HttpRequest) -> HttpResponse:
    """`site/verify.html`: registry, commands, asked, refused; `?digest=` leads to what has it."""
    asked = request.GET.get("digest", "")
    # As it stands in a document, or as sha256sum and openssl print it.
    found = SHA256.search(asked.lower())
    if found is not None:
        return redirect(_page_of(found[0], request))
    context = {
        "registry": settings.PUBLIC_URL,
        "commands": {
            "trust": f"assay trust add {settings.PUBLIC_URL}",
            "output": "assay verify answer.json",
            "folder": "assay verify NAME",
        },
        "asked": asked,
        "refused": bool(asked),
    }
    status = HTTPStatus.BAD_REQUEST if asked else HTTPStatus.OK
    return render(request, "site/verify.html", context, status=status)


def _page_of(sha256: str, request: HttpRequest) -> str:
    """An output's page where the digest is of its content, else what was published under it."""
    known, _ = outputs.by_content(sha256, reading.viewer(request, reading.OUTPUTS))
    return known[0].path if known else f"/files?digest={sha256}"
