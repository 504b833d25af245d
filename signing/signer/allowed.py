# SPDX-License-Identifier: Apache-2.0
"""A statement that may be signed: who signs it, its audit line, and the signature with its time.

The three are apart, so that the lines of many can be made durable together before any of them is
signed (service).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from .. import envelope, timestamps
from ..digests import sha256
from ..provenance import Holder
from . import rules
from .answers import Signed
from .errors import SignerRefusal
from .keystore import Keystore
from .opening import Identity
from .protocol import SignRequest

SERIAL_BITS = 128  # random, so that no restart and no restored backup repeats one


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What may be signed, by whom, and the number that its timestamp will have."""

    request: SignRequest
    predicate_type: str
    uri: str
    signer: Identity
    serial: int

    def line(self) -> dict[str, str | int]:
        """What the audit file says of it."""
        return {
            "purpose": self.request.purpose.value,
            "subject": self.uri,
            "predicate_type": self.predicate_type,
            "statement_sha256": sha256(self.request.statement),
            "certificate_serial": f"{self.signer.chain.leaf.serial_number:x}",
            "timestamp_serial": f"{self.serial:x}",
        }

    def sign(self, stamping: Identity, *, at: datetime) -> Signed:
        """The signature and its timestamp; the line must be durable before."""
        signed = envelope.sign(self.request.statement, self.signer.key)
        stamp = timestamps.stamp(
            signed.signature, key=stamping.key, chain=stamping.chain, at=at, serial=self.serial
        )
        return Signed(envelope=signed, chain=self.signer.chain, timestamp=stamp)


def allow(request: SignRequest, *, keystore: Keystore, at: datetime) -> Allowed | SignerRefusal:
    """1. the purpose may sign it; 2. whoever signs has a certificate; or why it is refused."""
    registry = keystore.trust_root.registry
    try:
        rules.check_subject(request.subject, registry=registry)
        statement = rules.read_statement(request, registry=registry)  # 1
        uri = rules.certified(request, registry=registry)
        holder = Holder(uri=uri, conduct_sha256=request.conduct_sha256)
        identity = keystore.leaf(request.purpose, holder, at=at)  # 2
    except SignerRefusal as refusal:
        return refusal
    return Allowed(
        request=request,
        predicate_type=statement.predicate_type,
        uri=uri,
        signer=identity,
        serial=secrets.randbits(SERIAL_BITS),
    )
