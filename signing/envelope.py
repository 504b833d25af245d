# SPDX-License-Identifier: Apache-2.0
"""DSSE v1: a payload, and one P-256 signature over it and its type.

What the payload says is in `statements`; whose key it was, in `certificates`.
"""

from __future__ import annotations

from typing import Self

from . import canonical, keys
from .errors import InvalidDocument, KeyUnusable
from .keys import Curve, PublicKey, Signer
from .values import dataclass

PAYLOAD_TYPE = "application/vnd.in-toto+json"
_CANONICAL = (
    f'{{"payload":"%s","payloadType":"{PAYLOAD_TYPE}","signatures":[{{"keyid":"","sig":"%s"}}]}}'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A signed payload. Holding one says nothing about who signed it."""

    payload: bytes
    signature: bytes

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read the JSON form: this payload type, exactly one signature, no key id."""
        obj = canonical.as_mapping(value, "envelope")
        canonical.only(obj, "payload", "payloadType", "signatures")
        canonical.literal(obj, "payloadType", PAYLOAD_TYPE)
        signatures = canonical.items(obj, "signatures")
        if len(signatures) != 1:
            raise InvalidDocument("signatures", "exactly one", str(len(signatures)))
        with canonical.within("signatures[0]"):
            signature = canonical.as_mapping(signatures[0], "signature")
            canonical.only(signature, "keyid", "sig")
            if signature.get("keyid", "") != "":  # absent and empty are one in protobuf's JSON
                raise InvalidDocument("keyid", "nothing: the certificate says whose key", "one")
            sig = canonical.base64_bytes(signature, "sig")
        return cls(payload=canonical.base64_bytes(obj, "payload"), signature=sig)

    def to_json(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "payload": canonical.base64_text(self.payload),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": "", "sig": canonical.base64_text(self.signature)}],
        }

    def canonical(self) -> bytes:
        """Its canonical bytes, which the ledger's `envelopeHash` is over; base64 has no escapes."""
        values = (canonical.base64_text(self.payload), canonical.base64_text(self.signature))
        return (_CANONICAL % values).encode()

    def verify(self, public_key: PublicKey) -> None:
        """Raise `BadSignature` unless this key signed this payload."""
        keys.verify(public_key, self.signature, pae(self.payload))


def pae(payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: the bytes that are signed."""
    return b"DSSEv1 %d %s %d %s" % (
        len(PAYLOAD_TYPE),
        PAYLOAD_TYPE.encode(),
        len(payload),
        payload,
    )


def sign(payload: bytes, key: Signer) -> Envelope:
    """Sign a payload with a P-256 key."""
    if keys.curve_of(key.public_key) is not Curve.P256:
        raise KeyUnusable(f"expected a P-256 key, found {keys.curve_of(key.public_key)}")
    return Envelope(payload=payload, signature=key.sign(pae(payload)))
