# SPDX-License-Identifier: Apache-2.0
"""Takes signatures of Sigstore clients into the ledger, and answers once each is provably in it.

Whose signature: only under a certificate of this registry's own authority, valid at this moment and
not revoked. So the ledger holds nobody's name whom the registry did not certify, cannot be filled
by strangers, and proves nothing that was signed after a revocation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from cryptography import x509
from django.conf import settings
from django.db import transaction

from assay.signing.bundle import entry_json
from assay.signing.entries import EntryKind, kind_of
from assay.signing.errors import InvalidDocument, UntrustedChain, WrongPurpose
from assay.signing.paths import check_signs_code, verify_path
from assay.signing.sigstore.submission import Submission
from registry.ledger import barring
from registry.ledger import queries as ledger_queries
from registry.ledger import services as ledger
from registry.ledger.errors import CertificateBarred
from registry.ledger.queries import Entry

from . import material
from .errors import NotOurs


def record(request: bytes, *, now: datetime) -> Mapping[str, object]:
    """The log entry (Sigstore's TransparencyLogEntry) for a signature, old or new.

    1. The request is Rekor v2's.
    2. The certificate is ours, for signing, and valid now; neither it nor its issuer is revoked.
    3. Its key signed the digest.
    4. The entry is durable, and a signed tree head includes it, before we answer.
    """
    submission = Submission.parse(request)  # 1
    path = _check_certificate(submission, now)  # 2
    submission.verify()  # 3
    body = submission.entry(EntryKind(settings.DSSE_ENTRY_KIND))
    entry = _log(body, path)
    ledger.integrate()  # 4
    entry.refresh_from_db()
    return entry_json(ledger_queries.proof(ledger.index_of(entry)), body, kind_of(body))


def _log(body: bytes, path: Sequence[x509.Certificate]) -> Entry:
    """The pending entry; in its transaction nothing of the path is revoked, nor was before."""
    try:
        with transaction.atomic():
            barring.check(path)
            return ledger.log(body)
    except CertificateBarred as error:
        raise NotOurs(str(error.detail)) from error  # their clients take a 409 for an old entry


def _check_certificate(submission: Submission, now: datetime) -> Sequence[x509.Certificate]:
    found = material.current()
    issuers = [
        each
        for each in found.issuers(*material.SIGNING)
        if each.subject == submission.certificate.issuer
    ]
    try:
        check_signs_code(submission.certificate)
        return verify_path(submission.certificate, issuers, anchors=[found.root], at=now)
    except (UntrustedChain, WrongPurpose, InvalidDocument) as error:
        raise NotOurs(str(error)) from error
