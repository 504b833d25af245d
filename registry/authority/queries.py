# SPDX-License-Identifier: Apache-2.0
"""The trust root that users pin, and which certificates were issued."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db.models import QuerySet

from assay.signing import canonical
from assay.signing.errors import InvalidDocument, SignerError
from assay.signing.trust import TrustRoot
from registry.ledger import services as ledger

from .errors import NoAuthority
from .models import Certificate

__all__ = ["Certificate"]

TRUST_ROOT_FILE = "trust-root.json"


def folder() -> Path:
    """Where `authority init` keeps what only the signer reads, and the trust root."""
    return Path(settings.DATA_DIR) / "authority"


def stored_trust_root() -> TrustRoot | None:
    """The trust root on this machine; None where the authority's folder is not mounted.

    Raises InvalidDocument for a file that is no trust root.
    """
    try:
        content = (folder() / TRUST_ROOT_FILE).read_bytes()
    except (FileNotFoundError, PermissionError):
        return None
    return TrustRoot.parse(canonical.loads(content))


def trust_root() -> TrustRoot:
    """The trust root, from this machine's file or else from the signer; raises NoAuthority."""
    try:
        stored = stored_trust_root()
        return stored or ledger.signer().describe().trust_root
    except (SignerError, InvalidDocument) as error:
        raise NoAuthority(f"expected a trust root (`manage.py authority init`): {error}") from error


def certificates(subject: str) -> QuerySet[Certificate]:
    """The certificates issued to a subject, the newest first."""
    return Certificate.objects.filter(subject=subject).order_by("-issued_at", "-id")
