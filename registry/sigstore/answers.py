# SPDX-License-Identifier: Apache-2.0
"""How these routes answer: JSON as Sigstore's own services write it, refusals so too.

Stock clients show a member `message` of `application/json` and nothing of problem+json. So a
refusal here is a problem document with that member, as `application/json`.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping

from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import APIException, Throttled
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from assay.signing.errors import AssayError
from registry.api.problems import document_of, headers_of

JSON_TYPE = "application/json"
# Each certificate and each entry is a line in the signer's audit file, and an entry for ever:
# far more than anybody signs by hand or in a build, as for timestamps.
RATE = "60/min"
View = Callable[[HttpRequest], HttpResponse]


class _Rate(SimpleRateThrottle):
    """Counted by address, in this process alone: nothing about a caller is kept for longer."""

    rate = RATE

    def get_cache_key(self, request: Request, view: APIView) -> str:
        return f"sigstore:{request.path}:{self.get_ident(request)}"


def answered(status: int, document: Mapping[str, object]) -> HttpResponse:
    """A good answer, which is its caller's alone."""
    content = json.dumps(document, ensure_ascii=False)
    headers = {"Cache-Control": "no-store"}
    return HttpResponse(content, status=status, content_type=JSON_TYPE, headers=headers)


def refusing(view: View) -> View:
    """What the view raises as a refusal becomes an answer that stock clients show."""

    @functools.wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        try:
            _check_rate(request)
            return view(request)
        except (APIException, AssayError) as error:
            document = document_of(error)
            if document is None:
                raise
            members = {**document.members(), "message": f"{document.title}: {document.detail}"}
            content = json.dumps(members, ensure_ascii=False)
            return HttpResponse(
                content, status=document.status, content_type=JSON_TYPE, headers=headers_of(error)
            )

    return answer


def _check_rate(request: HttpRequest) -> None:
    rate = _Rate()
    if not rate.allow_request(Request(request), APIView()):
        raise Throttled(rate.wait(), f"expected at most {rate.rate} from one address, found more.")
