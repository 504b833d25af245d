# SPDX-License-Identifier: Apache-2.0
"""The vectors of chains: one for each purpose, under one root."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from assay.signing.canonical import base64_text, instant_text
from assay.signing.certificates import Purpose
from tests.signing.world import AT, World

SUBJECT = "http://registry.test/lab"


def chain_vectors() -> dict[str, Any]:
    """Each chain is good for its own purpose, and for no other."""
    world = World.create(at=AT)
    chains = {purpose.value: world.leaf(purpose, SUBJECT)[1] for purpose in Purpose}
    return {
        "root": base64_text(world.root.certificate.public_bytes(Encoding.DER)),
        "at": instant_text(AT),
        "subject": SUBJECT,
        "chains": {
            purpose: [base64_text(der) for der in chain.to_der()]
            for purpose, chain in chains.items()
        },
    }
