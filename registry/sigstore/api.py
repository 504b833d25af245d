# SPDX-License-Identifier: Apache-2.0
"""Fulcio v2, Rekor v2 and OpenID Connect as stock clients speak them, and what leads them here."""

from __future__ import annotations

import base64
import binascii
import json

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from assay.signing.errors import SignerError
from registry.authority.errors import NoAuthority
from registry.ledger import services as ledger
from registry.oidc.providers import Use, providers

from . import certifying, documents, issuing, material, recording, vouching
from .answers import JSON_TYPE, answered, refusing
from .errors import InvalidGrant
from .material import Material

# A document that changes when keys are rotated, which is announced long before (the guide).
DOCUMENT_SECONDS = 300


@csrf_exempt  # a token in the request says who asks, and nothing of the browser's is used
@require_POST
@refusing
def signing_certificate(request: HttpRequest) -> HttpResponse:
    """POST /api/v2/signingCert."""
    now = timezone.now()
    asked = certifying.Asked.parse(request.body, bearer=_bearer(request))
    chain = issuing.issue(asked.key, certifying.identify(asked, now=now))
    parts = issuing.pems(chain, material=material.current())
    return answered(200, {"signedCertificateEmbeddedSct": {"chain": {"certificates": parts}}})


@csrf_exempt  # the certificate in the request says who signed
@require_POST
@refusing
def log_entry(request: HttpRequest) -> HttpResponse:
    """POST /api/v2/log/entries."""
    return answered(201, recording.record(request.body, now=timezone.now()))


@require_safe
def trust_bundle(request: HttpRequest) -> HttpResponse:
    """GET /api/v2/trustBundle: whose certificates these are."""
    del request
    return _document({"chains": [{"certificates": issuing.pems(material=_material())}]})


@require_safe
def configuration(request: HttpRequest) -> HttpResponse:
    """GET /api/v2/configuration: whose tokens are believed."""
    del request
    believed = (certifying.ourselves(), *providers().for_use(Use.SIGNING))
    issuers = [
        {"issuerUrl": one.issuer, "audience": certifying.AUDIENCE, "challengeClaim": "sub"}
        for one in believed
    ]
    return _document({"issuers": issuers})


@require_safe
def trusted_root(request: HttpRequest) -> HttpResponse:
    """GET /.well-known/assay/trusted_root.json."""
    del request
    return _document(documents.trusted_root(_material()))


@require_safe
def signing_config(request: HttpRequest) -> HttpResponse:
    """GET /.well-known/assay/signing_config.v0.2.json."""
    del request
    return _document(documents.signing_config(_material(), issuers=_issuers()))


@require_safe
def trust_config(request: HttpRequest) -> HttpResponse:
    """GET /.well-known/assay/trust_config.json."""
    del request
    return _document(documents.trust_config(_material(), issuers=_issuers()))


@require_safe
def openid_configuration(request: HttpRequest) -> HttpResponse:
    """GET /.well-known/openid-configuration (OpenID Connect Discovery 1.0, 3)."""
    del request
    here = certifying.ourselves().issuer
    return _document(
        {
            "issuer": here,
            "authorization_endpoint": f"{here}/auth/authorize",
            "token_endpoint": f"{here}/auth/token",
            "jwks_uri": f"{here}/auth/keys",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none", "client_secret_basic"],
            "scopes_supported": ["openid"],
            "claims_supported": ["iss", "sub", "aud", "iat", "nbf", "exp", "jti", "nonce"],
        }
    )


@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """GET /auth/keys (RFC 7517)."""
    del request
    return _document({"keys": [dict(ledger.signer().token_key())]})


@csrf_exempt  # the code and its verifier say who asks
@require_POST
def token(request: HttpRequest) -> HttpResponse:
    """POST /auth/token (RFC 6749, 4.1.3). Clients of Sigstore take the access token for the ID."""
    form = request.POST.dict()
    try:
        _check_client(request, form.get("client_id", ""))
        found = vouching.redeem(form, now=timezone.now())
    except InvalidGrant as refusal:
        said = {"error": refusal.code, "error_description": str(refusal.detail)}
        return answered(refusal.status_code, said)
    seconds = int(vouching.TOKEN_LIFETIME.total_seconds())
    kind = {"token_type": "Bearer", "expires_in": seconds}
    return answered(200, {"access_token": found, "id_token": found, **kind})


def _check_client(request: HttpRequest, named: str) -> None:
    """The one client is public: it may send its name either way, and has no secret."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            named = base64.b64decode(encoded, validate=True).decode().partition(":")[0]
        except (binascii.Error, ValueError) as error:
            raise InvalidGrant("Authorization: expected a client's name, found none") from error
    if named != vouching.CLIENT_ID:
        found = named[:80]
        raise InvalidGrant(f"client_id: expected {vouching.CLIENT_ID}, found {found!a}")


def _bearer(request: HttpRequest) -> str:
    scheme, _, found = request.headers.get("Authorization", "").partition(" ")
    return found.strip() if scheme.lower() == "bearer" else ""


def _material() -> Material:
    try:
        return material.current()
    except SignerError as error:
        raise NoAuthority(f"expected the authority's certificates: {error.reason}") from error


def _issuers() -> list[str]:
    return [one.issuer for one in providers().for_use(Use.SIGNING)]


def _document(document: documents.Json) -> HttpResponse:
    """Public, and the same for everybody."""
    headers = {
        "Cache-Control": f"public, max-age={DOCUMENT_SECONDS}",
        "Access-Control-Allow-Origin": "*",
    }
    content = json.dumps(document, ensure_ascii=False, indent=1)
    return HttpResponse(content, content_type=JSON_TYPE, headers=headers)
