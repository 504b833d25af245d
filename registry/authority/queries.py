# SPDX-License-Identifier: Apache-2.0
"""The trust root that users pin, and whether a certificate is one of ours."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.conf import settings

from assay.signing import canonical
from assay.signing.errors import InvalidDocument, SignerError
from assay.signing.trust import TrustRoot
from registry.ledger import services as ledger

from .errors import NoAuthority
from .models import Certificate

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
        # Which file or socket it was is for the operator: `manage.py check` says it.
        raise NoAuthority(
            f"expected a trust root (`manage.py authority init`), found none: {error.code}"
        ) from error


def is_listed(leaf: x509.Certificate) -> bool:
    """Whether this very certificate was issued here, and can be revoked."""
    pem = leaf.public_bytes(Encoding.PEM).decode()
    return Certificate.objects.filter(serial=f"{leaf.serial_number:x}", pem=pem).exists()
