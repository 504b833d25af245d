# SPDX-License-Identifier: Apache-2.0
"""A hook's secret, and what it signs: the Standard Webhooks' form, which others' libraries check.

The secret is derived (HKDF, RFC 5869) from the registry's secret key, the hook's id and how often
it was renewed. Nothing of it is stored: whoever reads the database can sign nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from .models import FINGERPRINT_CHARACTERS, Hook

PREFIX = "whsec_"
SECRET_BYTES = 32  # Standard Webhooks asks for 24 to 64
PURPOSE = b"assay webhook v1"


def secret(hook: Hook) -> str:
    """As the receiver's library takes it."""
    return PREFIX + base64.b64encode(_key(hook)).decode()


def fingerprint(hook: Hook) -> str:
    """By which a secret is told from another; of 256 random bits it betrays none."""
    return hashlib.sha256(secret(hook).encode()).hexdigest()[:FINGERPRINT_CHARACTERS]


def is_as_shown(hook: Hook) -> bool:
    """That the secret is the one that its owner was shown: the registry's key is still the same."""
    return hmac.compare_digest(fingerprint(hook), hook.fingerprint)


def headers(hook: Hook, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """What goes with a request, signed for this moment."""
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    signature = hmac.new(_key(hook), signed, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }


def _key(hook: Hook) -> bytes:
    derived = HKDF(
        algorithm=hashes.SHA256(),
        length=SECRET_BYTES,
        salt=hook.pk.bytes + hook.generation.to_bytes(4, "big"),
        info=PURPOSE,
    )
    return derived.derive(settings.SECRET_KEY.encode())
