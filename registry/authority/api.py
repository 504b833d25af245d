# SPDX-License-Identifier: Apache-2.0
"""The trust root, which a user fetches once and pins, and the issuers' revocation lists."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from assay.signing import crls
from assay.signing.errors import InvalidDocument
from assay.signing.intermediates import Name
from assay.signing.signer.errors import WrongPurpose
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


def _list_of(issuer: str) -> bytes:
    if issuer == crls.ROOT:
        return ledger.signer().root_crl()
    try:
        return bytes(revocations.current(Name.parse(issuer)).der)
    except (InvalidDocument, WrongPurpose) as error:
        raise Http404 from error


@require_safe
def revocation_list(request: HttpRequest, issuer: str) -> HttpResponse:
    """The newest list of the root or of an intermediate, in DER."""
    del request
    return HttpResponse(_list_of(issuer), content_type=CRL_TYPE, headers=CRL_HEADERS)


@require_safe
def revocation_lists(request: HttpRequest) -> HttpResponse:
    """All of them in one PEM file, as `assay verify --crl` and `openssl -CRLfile` read it."""
    del request
    found = [x509.load_der_x509_crl(each) for each in revocations.stapled(revocations.names())]
    content = b"".join(each.public_bytes(Encoding.PEM) for each in found)
    return HttpResponse(content, content_type=PEM_TYPE, headers=CRL_HEADERS)
