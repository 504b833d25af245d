# SPDX-License-Identifier: Apache-2.0
"""OCSP over HTTP (RFC 6960, appendix A): the question in a body or in the address."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from assay.signing import ocsp
from assay.signing.errors import InvalidDocument, SignerError
from assay.signing.intermediates import Name
from assay.signing.ocsp import Failure
from assay.signing.signer.errors import BadRequest, NotCertified
from assay.signing.signer.revocations import SignOcspRequest
from registry.ledger import certificates
from registry.ledger import services as ledger

from . import revocations

OCSP_TYPE = "application/ocsp-response"
RATE = "60/min"  # as for timestamps: each answer is a line in the signer's audit file


class _Rate(SimpleRateThrottle):
    """Counted by address, in this process alone: nothing about a caller is kept for longer."""

    rate = RATE

    def get_cache_key(self, request: Request, view: APIView) -> str:
        return f"ocsp:{self.get_ident(request)}"


@csrf_exempt  # anyone may ask, and nothing of the caller's is used
@require_http_methods(["GET", "POST"])
def answer(request: HttpRequest, issuer: str, question: str = "") -> HttpResponse:
    """The answer; a question that earns none gets RFC 6960's own failure, with status 200."""
    name = _named(issuer)
    if not _Rate().allow_request(Request(request), APIView()):
        return _response(ocsp.refuse(Failure.TRY_LATER))
    try:
        encoded = request.body if request.method == "POST" else ocsp.from_path(question)
        return _response(_answered(name, encoded))
    except InvalidDocument:
        return _response(ocsp.refuse(Failure.MALFORMED_REQUEST))
    except BadRequest:
        return _response(ocsp.refuse(Failure.UNAUTHORIZED))
    except SignerError:
        return _response(ocsp.refuse(Failure.TRY_LATER))


def _named(issuer: str) -> Name:
    try:
        return Name.parse(issuer)
    except InvalidDocument as error:
        raise Http404 from error


def _answered(issuer: Name, encoded: bytes) -> bytes:
    serial = ocsp.parse(encoded).about.serial
    is_known, revocation = revocations.finding(issuer, serial)
    asked = SignOcspRequest(
        issuer=issuer, request=encoded, is_known=is_known, revocation=revocation
    )
    try:
        return ledger.signer().sign_ocsp(asked)
    except NotCertified:
        certificates.ensure(certificates.responder(issuer))
        return ledger.signer().sign_ocsp(asked)


def _response(content: bytes) -> HttpResponse:
    return HttpResponse(content, content_type=OCSP_TYPE, headers={"Cache-Control": "no-store"})
