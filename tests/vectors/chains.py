# SPDX-License-Identifier: Apache-2.0
"""The vectors of chains: one for each purpose, under one root; and faults, each in one thing."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from assay.signing.canonical import base64_text, instant_text
from assay.signing.certificates import Purpose
from tests.signing.world import AT, World
from tests.vectors.chainfaults import SUBJECT, Fault, faults


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
        "outputs": [_written(each) for each in faults(world)],
    }


def _written(fault: Fault) -> dict[str, object]:
    return {
        "name": fault.name,
        "chain": [base64_text(fault.leaf), base64_text(fault.intermediate)],
        "root": base64_text(fault.root),
        "error": fault.error,
    }
