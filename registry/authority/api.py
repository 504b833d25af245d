# SPDX-License-Identifier: Apache-2.0
"""The trust root, which a user fetches once and pins, and the issuers' revocation lists."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from assay.signing import crls
from assay.signing.certificates import Purpose
from registry.ledger import services as ledger

from . import queries, revocations

CRL_TYPE = "application/pkix-crl"  # RFC 2585, 4.2
PEM_TYPE = "application/x-pem-file"
CRL_SECONDS = 600
CRL_HEADERS = {
    "Cache-Control": f"public, max-age={CRL_SECONDS}",
    "Access-Control-Allow-Origin": "*",
}


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


@require_safe
def revocation_list(request: HttpRequest, issuer: str) -> HttpResponse:
    """The newest list of the root or of a purpose's intermediate, in DER."""
    del request
    if issuer == crls.ROOT:
        content = ledger.signer().root_crl()
    elif issuer in set(Purpose):
        content = bytes(revocations.current(Purpose(issuer)).der)
    else:
        raise Http404
    return HttpResponse(content, content_type=CRL_TYPE, headers=CRL_HEADERS)


@require_safe
def revocation_lists(request: HttpRequest) -> HttpResponse:
    """All of them in one PEM file, as `assay verify --crl` and `openssl -CRLfile` read it."""
    del request
    found = [x509.load_der_x509_crl(each) for each in revocations.stapled(Purpose)]
    content = b"".join(each.public_bytes(Encoding.PEM) for each in found)
    return HttpResponse(content, content_type=PEM_TYPE, headers=CRL_HEADERS)
