# SPDX-License-Identifier: Apache-2.0
"""POST /timestamp: an RFC 3161 query in, the signer's reply out (RFC 3161, section 3.4)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from assay.signing.errors import SignerError
from assay.signing.timestamps import MAX_REQUEST_BYTES
from registry.api.problems import Document, TooLarge
from registry.ledger import services as ledger

QUERY_TYPE = "application/timestamp-query"
REPLY_TYPE = "application/timestamp-reply"


@csrf_exempt  # anyone may ask, and nothing of the caller's is used
@require_POST
def timestamp(request: HttpRequest) -> HttpResponse:
    """The reply; a query that cannot be answered gets RFC 3161's own failure, with status 200."""
    found = request.content_type or "none"
    if found != QUERY_TYPE:
        return Document(
            code="unsupported-media-type",
            title="This media type is not taken",
            status=415,
            detail=f"expected {QUERY_TYPE}, found {found[:80]!a}",
        ).response()
    query = request.body
    if len(query) > MAX_REQUEST_BYTES:
        return Document(
            code=TooLarge.code,
            title=TooLarge.title,
            status=TooLarge.status_code,
            detail=f"expected a query of at most {MAX_REQUEST_BYTES} bytes, found {len(query)}",
        ).response()
    try:
        reply = ledger.signer().timestamp(query)
    except SignerError as error:
        return Document(
            code=error.code, title="The signer does not sign now", status=503, detail=str(error)
        ).response()
    return HttpResponse(reply, content_type=REPLY_TYPE, headers={"Cache-Control": "no-store"})
