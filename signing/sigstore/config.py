# SPDX-License-Identifier: Apache-2.0
"""Sigstore's client trust config: whom to trust, and where to sign (signing config v0.2).

Of the services of a kind the first is used whose version is known; who signs chose the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from .. import canonical
from ..canonical import Obj
from ..errors import InvalidDocument
from .roots import TrustedRoot

MEDIA_TYPE = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"
FULCIO, REKOR, TSA = 1, 2, 1  # major versions, as signing configs count
MAX_SERVICES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustConfig:
    """Where to have a key certified, a signature timestamped and logged, and whom to trust."""

    root: TrustedRoot
    authority: str
    log: str
    timestamps: str

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the JSON form."""
        value = canonical.loads(data, has_fractions=True)
        obj = canonical.as_mapping(value, "trust config")
        canonical.literal(obj, "mediaType", MEDIA_TYPE)
        root = canonical.dumps(canonical.mapping(obj, "trustedRoot"))
        services = canonical.mapping(obj, "signingConfig")
        with canonical.within("signingConfig"):
            return cls(
                root=TrustedRoot.parse(root),
                authority=_url(services, "caUrls", FULCIO),
                log=_url(services, "rekorTlogUrls", REKOR),
                timestamps=_url(services, "tsaUrls", TSA),
            )


def _url(services: Obj, field: str, version: int) -> str:
    for item in canonical.items(services, field, maximum=MAX_SERVICES):
        service = canonical.as_mapping(item, field)
        if canonical.integer(service, "majorApiVersion") == version:
            return _checked(canonical.text(service, "url"), field)
    raise InvalidDocument(field, f"a service of version {version}", "none")


def _checked(url: str, field: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise InvalidDocument(field, "an http or https URL", ascii(url[:80]))
    return url.rstrip("/")
