# SPDX-License-Identifier: Apache-2.0
"""What a party signs with a key of its own when it accepts conduct, and the commitment to that.

The party's URI stands in it in clear: it is between the party and its registry, and the ledger has
a salted commitment alone (docs/spec/formats.md, section 2).
"""

from __future__ import annotations

from datetime import datetime
from typing import Self

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .. import canonical, keys
from ..canonical import Obj
from ..digests import sha256
from ..envelope import Envelope, sign
from ..keys import Signer
from ..values import dataclass
from .references import ConductReference, commit, reference
from .statement import CONSENT_V1, Statement, predicate_of, same


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentClaim:
    """The party read this text of this version, and is bound by it."""

    conduct: ConductReference
    text_sha256: str
    party: str
    """Its URI."""
    agreed_at: datetime

    @classmethod
    def parse(cls, statement: Statement) -> Self:
        """Read the claim out of a statement."""
        predicate = predicate_of(statement, CONSENT_V1, "conduct", "text", "party", "agreed_at")
        claim = cls(
            conduct=ConductReference.parse(predicate, "conduct"),
            text_sha256=reference(predicate, "text"),
            party=canonical.text(predicate, "party"),
            agreed_at=canonical.instant(predicate, "agreed_at"),
        )
        return same(claim, statement)

    def statement(self) -> Statement:
        """The statement that makes this claim."""
        return Statement(
            subjects=(self.conduct.subject,),
            predicate_type=CONSENT_V1,
            predicate={
                "conduct": self.conduct.to_json(),
                "text": {"sha256": self.text_sha256},
                "party": self.party,
                "agreed_at": canonical.instant_text(self.agreed_at),
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A consent in its envelope, with the key. Whose key it is, nobody but the party says."""

    envelope: Envelope
    key: bytes
    """SubjectPublicKeyInfo (DER)."""

    @classmethod
    def by(cls, key: Signer, claim: ConsentClaim) -> Self:
        """Sign it; raises KeyUnusable for a key that is not on P-256."""
        envelope = sign(claim.statement().canonical(), key)
        return cls(envelope=envelope, key=keys.spki(key.public_key))

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read the JSON form; what it says is for `claim` to read."""
        obj = canonical.as_mapping(value, "consent")
        canonical.only(obj, "envelope", "key")
        inner = canonical.mapping(obj, "envelope")
        with canonical.within("envelope"):
            envelope = Envelope.parse(inner)
        return cls(envelope=envelope, key=canonical.base64_bytes(obj, "key"))

    def to_json(self) -> Obj:
        """The JSON form."""
        return {"envelope": self.envelope.to_json(), "key": canonical.base64_text(self.key)}

    @property
    def key_sha256(self) -> str:
        """The key's fingerprint."""
        return sha256(self.key)

    @property
    def pem(self) -> bytes:
        """The key as openssl reads it (RFC 7468, 13)."""
        return keys.p256(self.key).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def claim(self) -> ConsentClaim:
        """What the key signed. Raises KeyUnusable, BadSignature or InvalidDocument."""
        self.envelope.verify(keys.p256(self.key))
        return ConsentClaim.parse(Statement.parse(self.envelope.payload))

    def commitment(self, salt: bytes) -> str:
        """What the ledger has of it.

        The key is in it, for a signature alone is one by several keys (SEC 1, 4.1.6).
        """
        digests = {"envelope": sha256(self.envelope.canonical()), "key": self.key_sha256}
        return commit(salt, {"consent": digests})
