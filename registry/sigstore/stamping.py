# SPDX-License-Identifier: Apache-2.0
"""POST /api/v1/timestamp: where Sigstore's clients ask, by RFC 3161 or by Sigstore's own JSON."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from assay.signing import canonical, timestamps
from assay.signing.errors import InvalidDocument
from registry.timestamps import api

from .answers import JSON_TYPE

MAX_REQUEST_BYTES = 4 << 10
DIGEST_BYTES = 32


@csrf_exempt  # anyone may ask, and nothing of the caller's is used
@require_POST
def timestamp(request: HttpRequest) -> HttpResponse:
    """The reply of the one timestamp authority, in DER whatever the question was in."""
    if request.content_type == JSON_TYPE:
        return api.reply_to(request, query(request.body))
    return api.timestamp(request)


def query(body: bytes) -> bytes:
    """The query (RFC 3161) that Sigstore's JSON stands for; raises InvalidDocument."""
    value = canonical.loads(body, max_bytes=MAX_REQUEST_BYTES, has_fractions=True)
    obj = canonical.as_mapping(value, "request")
    canonical.only(obj, "artifactHash", "certificates", "hashAlgorithm", "nonce")
    canonical.literal(obj, "hashAlgorithm", "sha256")
    digest = canonical.base64_bytes(obj, "artifactHash")
    if len(digest) != DIGEST_BYTES:
        raise InvalidDocument("artifactHash", f"{DIGEST_BYTES} bytes", str(len(digest)))
    wants = obj.get("certificates", False)
    if not isinstance(wants, bool):
        raise InvalidDocument("certificates", "true or false", ascii(str(wants)[:80]))
    nonce = canonical.integer(obj, "nonce") if "nonce" in obj else None
    return timestamps.request_over(digest, wants_certificates=wants, nonce=nonce)
