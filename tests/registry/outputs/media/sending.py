# SPDX-License-Identifier: Apache-2.0
"""Short words for sending media, and the root that their manifests lead to."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from rest_framework.test import APIClient

from assay.signing.digests import sha256
from registry.catalog.models import Checkpoint
from tests.running import Authority

URL = "/api/v1/outputs/media"
SIDECAR_URL = "/api/v1/outputs/sidecar"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What came of a digest."""

    status_code: int
    json: dict[str, Any]

    @property
    def c2pa(self) -> bytes:
        """The manifest store."""
        return base64.b64decode(self.json["c2pa"])


def send(
    client: APIClient,
    of: Checkpoint,
    content: bytes,
    kind: str = "image/png",
    *,
    key: str = "",
) -> Any:  # noqa: ANN401 - of either kind of answer
    """A file to be signed."""
    headers = {"Idempotency-Key": key} if key else {}
    url = f"{URL}?checkpoint=sha256:{of.manifest_sha256}"
    return client.post(url, content, content_type=kind, headers=headers)


def beside(client: APIClient, of: Checkpoint, content: bytes, kind: str) -> Beside:
    """A digest to be signed; the content stays here."""
    body = {
        "checkpoint": f"sha256:{of.manifest_sha256}",
        "media_type": kind,
        "digests": {"sha256": sha256(content)},
    }
    answer = client.post(SIDECAR_URL, body, format="json")
    return Beside(status_code=answer.status_code, json=answer.json())


def anchor(authority: Authority) -> str:
    """The root of this registry (PEM), which its certificates for C2PA lead to."""
    return authority.trust_root.root.public_bytes(Encoding.PEM).decode()
