# SPDX-License-Identifier: Apache-2.0
"""POST /timestamp: an RFC 3161 query in, the signer's reply out (RFC 3161, section 3.4)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from rest_framework.exceptions import Throttled, UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from assay.signing import timestamps
from assay.signing.signer.errors import NotCertified
from registry.ledger import certificates
from registry.ledger import services as ledger

QUERY_TYPE = "application/timestamp-query"
REPLY_TYPE = "application/timestamp-reply"
# Measured on two busy cores: the signer makes some 320 timestamps a second, each after its line is
# synced, in the one thread that publishing needs too, and keeps these 270 bytes about it for ever.
# This is a three-hundredth of that, and far more than anybody signs by hand or in a build.
RATE = "60/min"


@csrf_exempt  # anyone may ask, and nothing of the caller's is used
@require_POST
def timestamp(request: HttpRequest) -> HttpResponse:
    """The reply; a query that cannot be answered gets RFC 3161's own failure, with status 200."""
    return reply_to(request, _query(request))


def reply_to(request: HttpRequest, query: bytes) -> HttpResponse:
    """The reply to a query (DER), however it came.

    What is no query is told so here: the signer would spend a serial number and a line on it.
    """
    _check_rate(request)
    return HttpResponse(
        timestamps.refusal(query) or _signed(query),
        content_type=REPLY_TYPE,
        headers={"Cache-Control": "no-store"},
    )


def _signed(query: bytes) -> bytes:
    try:
        return ledger.signer().timestamp(query)
    except NotCertified:
        certificates.ensure(certificates.timestamping())
        return ledger.signer().timestamp(query)


class _Rate(SimpleRateThrottle):
    """Counted by address, in this process alone: nothing about a caller is kept for longer."""

    rate = RATE

    def get_cache_key(self, request: Request, view: APIView) -> str:
        return f"timestamp:{self.get_ident(request)}"


def _query(request: HttpRequest) -> bytes:
    found = request.content_type or "none"
    if found != QUERY_TYPE:
        raise UnsupportedMediaType(found, f"expected {QUERY_TYPE}, found {found[:80]!a}")
    return request.body


def _check_rate(request: HttpRequest) -> None:
    rate = _Rate()
    if not rate.allow_request(Request(request), APIView()):
        raise Throttled(rate.wait(), f"expected at most {rate.rate} from one address, found more.")
