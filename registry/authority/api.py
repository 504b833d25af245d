# SPDX-License-Identifier: Apache-2.0
"""The trust root over HTTP: what a user fetches once, compares by fingerprint, and pins."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from . import queries


@require_safe
def trust_root(request: HttpRequest) -> HttpResponse:
    """The canonical bytes, whose SHA-256 is the fingerprint."""
    del request
    found = queries.trust_root()
    headers = {
        "Cache-Control": "no-cache",
        "ETag": f'"{found.fingerprint}"',
        "Access-Control-Allow-Origin": "*",  # it is public, and a verifier may be anywhere
    }
    return HttpResponse(found.canonical(), content_type="application/json", headers=headers)
