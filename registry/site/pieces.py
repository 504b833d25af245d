# SPDX-License-Identifier: Apache-2.0
"""A signed statement in pieces, each a file that openssl and its like can read."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives.serialization import Encoding
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from assay.signing import canonical
from assay.signing.bundle import Bundle
from assay.signing.envelope import pae
from registry.api.problems import NotFound
from registry.authority import queries as authority
from registry.conduct import queries as conduct
from registry.ledger import queries as ledger

from . import entries

BINARY = "application/octet-stream"
JSON = "application/json"
PEM = "application/x-pem-file"

# What each piece is called, its media type, and how it is cut out of a bundle.
PIECES: Mapping[str, tuple[str, Callable[[Bundle], bytes]]] = {
    "statement.json": (JSON, lambda bundle: bundle.envelope.payload),
    "signed.bin": (BINARY, lambda bundle: pae(bundle.envelope.payload)),
    "signature.der": (BINARY, lambda bundle: bundle.envelope.signature),
    "certificate.pem": (PEM, lambda bundle: bundle.chain.leaf.public_bytes(Encoding.PEM)),
    "intermediate.pem": (PEM, lambda bundle: bundle.chain.intermediate.public_bytes(Encoding.PEM)),
    "timestamp.tsr": ("application/timestamp-reply", lambda bundle: bundle.timestamp),
    "bundle.json": (JSON, lambda bundle: canonical.dumps(bundle.to_json())),
}


@require_safe
def piece(request: HttpRequest, sha256: str, name: str) -> HttpResponse:
    """One piece of the statement with this digest."""
    if name not in PIECES:
        raise NotFound(f"expected one of {', '.join(PIECES)}")
    bundle = ledger.bundle(_statement(request, sha256))
    media_type, cut = PIECES[name]
    return _attachment(cut(bundle), name, media_type)


@require_safe
def root(_request: HttpRequest) -> HttpResponse:
    """The root certificate alone. Whoever believes it has decided to: compare it by fingerprint."""
    certificate = authority.trust_root().root
    return _attachment(certificate.public_bytes(Encoding.PEM), "root.pem", PEM)


@require_safe
def policy(_request: HttpRequest, policy_id: str, version: str) -> HttpResponse:
    """The bytes of a conduct policy that statements name by digest."""
    return HttpResponse(conduct.document(conduct.version(policy_id, version)), content_type=JSON)


@require_safe
def policy_text(_request: HttpRequest, policy_id: str, version: str) -> HttpResponse:
    """The bytes of the text beside it, which the registry's statement names by digest, too."""
    text = conduct.version(policy_id, version).text
    return HttpResponse(text.encode(), content_type="text/plain; charset=utf-8")


def _statement(request: HttpRequest, sha256: str) -> ledger.Statement:
    """A statement is for those who may see what it is about."""
    found = ledger.statement(sha256)
    if not entries.may_read(found, request):
        raise NotFound("expected the digest of a statement that you may see")
    return found


def _attachment(content: bytes, name: str, media_type: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type=media_type, headers=headers)
