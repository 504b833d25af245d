# SPDX-License-Identifier: Apache-2.0
"""Somebody with a key of their own: what they ask, sign and send, each step by itself."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from rest_framework.test import APIClient

from assay.signing import certificates, envelope
from assay.signing.digests import sha256
from assay.signing.keys import Signer, SoftwareKey, spki
from registry.catalog.models import Checkpoint
from tests.registry.outputs import world

OUTPUTS = "/api/v1/outputs"
CERTIFICATES, STATEMENTS, OWN = (
    f"{OUTPUTS}/{each}" for each in ("certificates", "statements", "own")
)

Json = dict[str, Any]


def csr_of(key: Signer) -> str:
    """PKCS#10, in PEM."""
    der = certificates.request(key, subject="a key")
    return x509.load_der_x509_csr(der).public_bytes(Encoding.PEM).decode()


def base64_of(data: bytes) -> str:
    """As the API has bytes."""
    return base64.b64encode(data).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A client of the API, a checkpoint, and a key."""

    client: APIClient
    checkpoint: Checkpoint
    key: SoftwareKey = field(default_factory=SoftwareKey.generate)

    @property
    def key_sha256(self) -> str:
        return sha256(spki(self.key.public_key))

    def certified(self) -> Json:
        """The answer about a certificate."""
        asked = {"csr": csr_of(self.key), "checkpoint": f"sha256:{self.checkpoint.manifest_sha256}"}
        answer = self.client.post(CERTIFICATES, asked)
        assert answer.status_code == 201, answer.content
        found: Json = answer.json()
        return found

    def stated(self, **other: object) -> Json:
        """The answer about what is to be signed, with what was asked."""
        asked = world.asserted_of(self.checkpoint) | other
        answer = self.client.post(STATEMENTS, asked)
        assert answer.status_code == 200, answer.content
        return {**asked, **answer.json()}

    def signed(self, stated: Json, chain: str) -> Json:
        """What is sent, with this key's signature."""
        payload = base64.b64decode(stated["statement"])
        signature = envelope.sign(payload, self.key).signature
        sent = {name: value for name, value in stated.items() if name != "statement"}
        return {**sent, "chain": chain, "signature": base64_of(signature)}

    def body(self, **other: object) -> Json:
        """All of it: one request that is as it should be."""
        return self.signed(self.stated(**other), self.certified()["chain"])
