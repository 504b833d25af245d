# SPDX-License-Identifier: Apache-2.0
"""Whom a user trusts: a registry's root certificate and its ledger's keys, and since when.

Pinning is the user's act; where pins are kept is left to `commands`. Nothing is trusted by default.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from . import canonical, certificates, keys, treehead
from .digests import sha256
from .errors import InvalidDocument, KeyUnusable
from .keys import PublicKey
from .values import dataclass

MAX_POLICY_CHARACTERS = 256 << 10  # as many as a policy file has bytes (tlog)
TRUST_ROOT_V1 = "https://assay/trust-root/v1"
EARLY = "none: it was made before certificates were logged, and has to be made again"
_URL = re.compile(r"https?://[^\s/?#]+(/[^\s/?#]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustRoot:
    """What a verifier needs to know of a registry beforehand, and all it needs."""

    registry: str
    root: x509.Certificate
    origin: str
    verifier: str
    """The ledger's C2SP verifier key."""
    certificate_log: PublicKey
    """The key that says that the ledger holds a certificate."""

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read the JSON form (docs/spec/formats.md, section 7)."""
        obj = canonical.as_mapping(value, "trust root")
        canonical.literal(obj, "type", TRUST_ROOT_V1)
        if "certificate_log" not in obj:
            raise InvalidDocument("certificate_log", "the key of certificate timestamps", EARLY)
        canonical.only(obj, "type", "registry", "root", "ledger", "certificate_log")
        ledger = canonical.mapping(obj, "ledger")
        with canonical.within("ledger"):
            canonical.only(ledger, "origin", "verifier")
            verifier = treehead.Verifier.parse(canonical.text(ledger, "verifier"))
            canonical.literal(ledger, "origin", verifier.origin)
        root = certificates.own("root", canonical.base64_bytes(obj, "root"))
        _check_root(root)
        return cls(
            registry=_url(obj, "registry"),
            root=root,
            origin=verifier.origin,
            verifier=verifier.text(),
            certificate_log=_log_key(obj),
        )

    def to_json(self) -> dict[str, object]:
        """The JSON form, before canonicalisation."""
        return {
            "type": TRUST_ROOT_V1,
            "registry": self.registry,
            "root": canonical.base64_text(self.root.public_bytes(Encoding.DER)),
            "ledger": {"origin": self.origin, "verifier": self.verifier},
            "certificate_log": canonical.base64_text(keys.spki(self.certificate_log)),
        }

    def canonical(self) -> bytes:
        """The bytes that the fingerprint is the digest of."""
        return canonical.dumps(self.to_json())

    @property
    def fingerprint(self) -> str:
        """The digest by which people compare trust roots; shown as `sha256:…`."""
        return sha256(self.canonical())


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """A trust root that a user decided to trust."""

    root: TrustRoot
    pinned_at: datetime
    pinned_from: str
    """The URL or file that it came from."""
    policy: str | None = None
    """Which witnesses must have seen its ledger: a C2SP tlog-policy, byte for character."""

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read the JSON form."""
        obj = canonical.as_mapping(value, "pin")
        canonical.only(obj, "trust_root", "pinned_at", "pinned_from", "policy")
        with canonical.within("trust_root"):
            root = TrustRoot.parse(canonical.mapping(obj, "trust_root"))
        return cls(
            root=root,
            pinned_at=canonical.instant(obj, "pinned_at"),
            pinned_from=canonical.text(obj, "pinned_from"),
            policy=_policy(obj) if "policy" in obj else None,
        )

    def to_json(self) -> dict[str, object]:
        """The JSON form, before canonicalisation."""
        stated: dict[str, object] = {
            "trust_root": self.root.to_json(),
            "pinned_at": canonical.instant_text(self.pinned_at),
            "pinned_from": self.pinned_from,
        }
        return stated if self.policy is None else {**stated, "policy": self.policy}


def _policy(obj: canonical.Obj) -> str:
    return canonical.text(obj, "policy", max_characters=MAX_POLICY_CHARACTERS)


def _check_root(root: x509.Certificate) -> None:
    """A root is worth pinning only if it is one: self-signed, and an authority over one level."""
    try:
        root.verify_directly_issued_by(root)
        limits = root.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (*certificates.MALFORMED, InvalidSignature, TypeError, x509.ExtensionNotFound) as error:
        raise InvalidDocument("root", "a self-signed root certificate", "another") from error
    if (limits.ca, limits.path_length) != (True, 1):
        raise InvalidDocument("root", "an authority of path length 1", "another certificate")


def _log_key(obj: canonical.Obj) -> PublicKey:
    try:
        return keys.p256(canonical.base64_bytes(obj, "certificate_log"))
    except KeyUnusable as error:
        raise InvalidDocument("certificate_log", "a P-256 key in DER", "another") from error


def _url(obj: canonical.Obj, field: str) -> str:
    value = canonical.text(obj, field)
    check_url(field, value)
    return value


def check_url(field: str, value: str) -> None:
    """Refuse what is no registry's URL: it stands in certificates for ever."""
    if not _URL.fullmatch(value):
        raise InvalidDocument(
            field, "an http or https URL without a slash at its end", ascii(value)
        )
