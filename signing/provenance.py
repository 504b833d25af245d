# SPDX-License-Identifier: Apache-2.0
"""What a leaf says beside its name: who vouches for it, and which conduct its holder accepted."""

from __future__ import annotations

from functools import lru_cache

from cryptography import x509

from . import der
from .values import dataclass

DIGEST_BYTES = 32
KEPT = 64  # leaves, as read: few sign nearly all that one process verifies
ARC = "2.25.55496464810101472194271188265311006923"  # from a UUID: ADR 0002
CONDUCT = x509.ObjectIdentifier(f"{ARC}.2.1")
# Fulcio's extensions: the issuer as bare UTF-8, as in certificates of before 2023, and as DER.
ISSUER_V1 = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
ISSUER_V2 = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Whom a leaf names, and under which conduct."""

    uri: str
    conduct_sha256: str | None = None
    """Of the policy document that the holder accepted; None for what is under no conduct."""
    is_mail: bool = False
    """Whether `uri` is a mail address instead: of somebody whom another issuer knows by it."""
    issuer: str | None = None
    """Who vouches for the name; None for the registry."""


def extensions(registry: str | None, holder: Holder) -> tuple[x509.UnrecognizedExtension, ...]:
    """The registry as Sigstore's clients ask for it, and the digest of the conduct policy."""
    found: list[tuple[x509.ObjectIdentifier, bytes]] = []
    registry = holder.issuer or registry
    if registry is not None:
        found += [(ISSUER_V1, registry.encode()), (ISSUER_V2, der.utf8(registry))]
    if holder.conduct_sha256 is not None:
        found.append((CONDUCT, der.octets(bytes.fromhex(holder.conduct_sha256))))
    return tuple(x509.UnrecognizedExtension(oid, value) for oid, value in found)


@lru_cache(KEPT)
def accepted(leaf: x509.Certificate) -> str | None:
    """The digest of the conduct policy that a leaf says its holder accepted; None if of none.

    An issuer writes 32 bytes there, and nothing else is read: whatever else it is names no policy.
    """
    prefix = der.octets(bytes(DIGEST_BYTES))[:-DIGEST_BYTES]
    for each in leaf.extensions:
        found = each.value
        if each.oid == CONDUCT and isinstance(found, x509.UnrecognizedExtension):
            is_digest = len(found.value) == len(prefix) + DIGEST_BYTES
            if is_digest and found.value.startswith(prefix):
                return found.value[len(prefix) :].hex()
    return None
