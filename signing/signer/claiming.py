# SPDX-License-Identifier: Apache-2.0
"""Which C2PA claims the signer signs: a registry's own, by the certificate that they name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from .. import credentials
from ..cose import ToBeSigned, raw_signature
from ..digests import sha256
from ..errors import InvalidDocument
from ..provenance import Holder
from . import rules
from .claims import SignClaimRequest
from .errors import WrongStatement
from .keystore import Keystore

Record = Callable[[Mapping[str, str | int]], object]
"""Makes an audit line durable, or raises."""


def sign(request: SignClaimRequest, keystore: Keystore, *, at: datetime, record: Record) -> bytes:
    """1. who may claim; 2. it is a registry's claim; 3. the certificate; 4. the audit line.

    5. The signature, as COSE has it. Of what the claim asserts it holds digests alone: that they
    are of what the registry knows is the caller's part, as it is of every statement.
    """
    registry = keystore.trust_root.registry
    rules.check_subject(request.subject, registry=registry)  # 1
    uri = rules.certified(request, registry=registry)
    claim = _claim(request.structure, registry)  # 2
    holder = Holder(uri=uri, conduct_sha256=request.conduct_sha256)
    identity = keystore.leaf(request.purpose, holder, at=at)  # 3
    if claim.chain != identity.chain.to_der():
        raise WrongStatement("expected a claim by the certificate that signs now, found another's")
    record(  # 4
        {
            "purpose": request.purpose.value,
            "subject": uri,
            "structure_sha256": sha256(request.structure),
            "certificate_serial": f"{identity.chain.leaf.serial_number:x}",
        }
    )
    return raw_signature(identity.key.sign(request.structure))  # 5


def _claim(structure: bytes, registry: str) -> ToBeSigned:
    try:
        claim = ToBeSigned.parse(structure)
    except InvalidDocument as error:
        raise WrongStatement(f"the C2PA claim is malformed: {error}") from error
    if claim.generator != credentials.GENERATOR:
        raise WrongStatement(
            f"expected a claim that {credentials.GENERATOR} made, found {claim.generator[:80]!a}"
        )
    label = credentials.label(registry)
    if claim.assertions.count(label) != 1:
        raise WrongStatement(
            f"expected a claim with one assertion {label}, found {claim.assertions.count(label)}"
        )
    return claim
