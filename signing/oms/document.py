# SPDX-License-Identifier: Apache-2.0
"""The bundle around an OMS statement that was signed with a key or a certificate.

Form alone: a Sigstore bundle v0.3 as others write it, in which null is as good as absent, and what
the verification material holds beyond our need is passed over. Nothing here is trusted yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from .. import canonical, certificates
from ..bundle import MEDIA_TYPE
from ..canonical import Obj, base64_text
from ..envelope import PAYLOAD_TYPE
from ..errors import InvalidDocument
from ..paths import MAX_INTERMEDIATES

MAX_BUNDLE_BYTES = 96 << 20
MAX_CHAIN = MAX_INTERMEDIATES + 2  # with the leaf; some add the root
MAX_TIMESTAMPS = 8
_MATERIALS = ("publicKey", "x509CertificateChain", "certificate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A statement's bytes, the signature over them, and what is said of the key."""

    payload: bytes
    signature: bytes
    chain: tuple[x509.Certificate, ...] = ()
    """Leaf first; empty for the method `key`."""
    hint: str = ""
    """The method `key`: how a verifier may find the key."""
    timestamps: tuple[bytes, ...] = ()
    """RFC 3161 responses over the signature."""

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a bundle's JSON."""
        value = canonical.loads(data, max_bytes=MAX_BUNDLE_BYTES, has_fractions=True)
        obj = canonical.as_mapping(value, "bundle")
        canonical.only(obj, "mediaType", "verificationMaterial", "dsseEnvelope")
        canonical.literal(obj, "mediaType", MEDIA_TYPE)
        material = canonical.mapping(obj, "verificationMaterial")
        with canonical.within("verificationMaterial"):
            chain, hint = _parse_material(material)
            timestamps = tuple(_parse_timestamps(material))
        with canonical.within("dsseEnvelope"):
            payload, signature = _parse_envelope(canonical.mapping(obj, "dsseEnvelope"))
        return cls(
            payload=payload, signature=signature, chain=chain, hint=hint, timestamps=timestamps
        )

    def to_json(self) -> dict[str, object]:
        """The JSON form."""
        ders = [certificate.public_bytes(Encoding.DER) for certificate in self.chain]
        material: dict[str, object] = {"publicKey": {"hint": self.hint}}
        if self.chain:
            certificates = [{"rawBytes": base64_text(der)} for der in ders]
            material = {"x509CertificateChain": {"certificates": certificates}}
        return {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {**material, "tlogEntries": []},
            "dsseEnvelope": {
                "payload": base64_text(self.payload),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{"keyid": "", "sig": base64_text(self.signature)}],
            },
        }


def _parse_material(obj: Obj) -> tuple[tuple[x509.Certificate, ...], str]:
    given = [name for name in _MATERIALS if obj.get(name) is not None]
    match given:
        case ["publicKey"]:
            key = canonical.mapping(obj, "publicKey")
            # `rawBytes` is what bundles before 1.1.0 have; whose key it is, the verifier decides.
            field = "hint" if key.get("hint") is not None else "rawBytes"
            return (), canonical.text(key, field)
        case ["x509CertificateChain"]:
            chain = canonical.mapping(obj, "x509CertificateChain")
            with canonical.within("x509CertificateChain"):
                return tuple(_parse_chain(canonical.items(chain, "certificates"))), ""
        case _:
            found = ", ".join(given) or "neither"
            raise InvalidDocument("material", "publicKey or x509CertificateChain", found)


def _parse_chain(values: Sequence[object]) -> list[x509.Certificate]:
    if not 0 < len(values) <= MAX_CHAIN:
        raise InvalidDocument("certificates", f"1 to {MAX_CHAIN}", str(len(values)))
    return [_parse_certificate(value) for value in values]


def _parse_certificate(value: object) -> x509.Certificate:
    obj = canonical.as_mapping(value, "certificates")
    return certificates.load("rawBytes", canonical.base64_bytes(obj, "rawBytes"))


def _parse_timestamps(material: Obj) -> list[bytes]:
    data = material.get("timestampVerificationData")
    if data is None:
        return []
    with canonical.within("timestampVerificationData"):
        given = canonical.as_mapping(data, "data").get("rfc3161Timestamps")
        values = canonical.items({"rfc3161Timestamps": given or ()}, "rfc3161Timestamps")
        if len(values) > MAX_TIMESTAMPS:
            raise InvalidDocument("rfc3161Timestamps", f"at most {MAX_TIMESTAMPS}", "more")
        found = [canonical.as_mapping(value, "rfc3161Timestamps") for value in values]
        return [canonical.base64_bytes(each, "signedTimestamp") for each in found]


def _parse_envelope(obj: Obj) -> tuple[bytes, bytes]:
    canonical.literal(obj, "payloadType", PAYLOAD_TYPE)
    signatures = canonical.items(obj, "signatures")
    if len(signatures) != 1:
        raise InvalidDocument("signatures", "exactly one", str(len(signatures)))
    # A key id may be absent, empty, null or anything: it decides nothing (section 4.1).
    signature = canonical.as_mapping(signatures[0], "signatures")
    return canonical.base64_bytes(obj, "payload"), canonical.base64_bytes(signature, "sig")
