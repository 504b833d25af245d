# SPDX-License-Identifier: Apache-2.0
"""Somebody else's timestamp authority, which answers with any structure that a test asks for."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from asn1crypto import cms, core, tsp
from asn1crypto import x509 as asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding

from tests.signing.pki import AT, Holder

HASHES = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What a token says; a test changes one thing."""

    holder: Holder
    data: bytes
    at: datetime = AT
    status: str = "granted"
    version: str = "v1"
    imprint_hash: str = "sha256"
    digest_hash: str = "sha256"
    names_certificate: str = "signing_certificate_v2"
    named_hash: str | None = None
    content_type: str = "tst_info"
    message_digest: bytes | None = None
    by_key_identifier: bool = False
    certificates: Sequence[bytes] | None = None
    signed_over: bytes = b""
    signed_version: str = "v3"
    signer_version: str | None = None
    digest_hashes: Sequence[str] | None = None
    signature_algorithm: str | None = None

    def response(self) -> bytes:
        """The TimeStampResp."""
        info = self._info()
        attributes = self._attributes(info)
        leaf = asn1.Certificate.load(self.holder.der)
        by_name = {"issuer": leaf.issuer, "serial_number": leaf.serial_number}
        sid = {"issuer_and_serial_number": cms.IssuerAndSerialNumber(by_name)}
        if self.by_key_identifier:
            sid = {"subject_key_identifier": core.OctetString(leaf.key_identifier)}
        name, value = next(iter(sid.items()))
        embedded = [self.holder.der] if self.certificates is None else self.certificates
        signed = cms.SignedData(
            {
                "version": self.signed_version,
                "digest_algorithms": [
                    {"algorithm": each} for each in self.digest_hashes or [self.digest_hash]
                ],
                "encap_content_info": {
                    "content_type": "tst_info",
                    "content": core.ParsableOctetString(info),
                },
                "certificates": [asn1.Certificate.load(der) for der in embedded],
                "signer_infos": [
                    {
                        "version": self.signer_version or _version_by(name),
                        "sid": cms.SignerIdentifier(name, value),
                        "digest_algorithm": {"algorithm": self.digest_hash},
                        "signed_attrs": attributes,
                        "signature_algorithm": {"algorithm": self._algorithm()},
                        "signature": self._sign(self.signed_over or attributes.dump()),
                    }
                ],
            }
        )
        token = {"content_type": "signed_data", "content": signed}
        answer = {"status": {"status": self.status}, "time_stamp_token": token}
        return bytes(tsp.TimeStampResp(answer).dump())

    def but(self, **changes: Any) -> bytes:  # noqa: ANN401 - as in dataclasses.replace
        """The response with one thing changed."""
        return replace(self, **changes).response()

    def _info(self) -> bytes:
        imprint = hashlib.new(self.imprint_hash.replace("-", ""), self.data).digest()
        fields = {
            "version": self.version,
            "policy": "1.2.3",
            "message_imprint": {
                "hash_algorithm": {"algorithm": self.imprint_hash},
                "hashed_message": imprint,
            },
            "serial_number": 7,
            "gen_time": self.at.astimezone(UTC),
        }
        return bytes(tsp.TSTInfo(fields).dump())

    def _attributes(self, info: bytes) -> cms.CMSAttributes:
        digest = self.message_digest or hashlib.new(self.digest_hash, info).digest()
        kind = "sha1" if self.names_certificate == "signing_certificate" else self.named_hash
        cert_hash = hashlib.new(kind or "sha256", self.holder.der).digest()
        certificate: dict[str, Any] = {"cert_hash": cert_hash}
        if self.named_hash:
            certificate["hash_algorithm"] = {"algorithm": self.named_hash}
        attributes = [
            {"type": "content_type", "values": [self.content_type]},
            {"type": "message_digest", "values": [digest]},
        ]
        if self.names_certificate:
            attributes.append(
                {"type": self.names_certificate, "values": [{"certs": [certificate]}]}
            )
        return cms.CMSAttributes(attributes)

    def _algorithm(self) -> str:
        is_elliptic = isinstance(self.holder.key, ec.EllipticCurvePrivateKey)
        own = f"{self.digest_hash}_ecdsa" if is_elliptic else f"{self.digest_hash}_rsa"
        return self.signature_algorithm or own

    def _sign(self, data: bytes) -> bytes:
        hash_ = HASHES[self.digest_hash]
        key = self.holder.key
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key.sign(data, ec.ECDSA(hash_))
        return key.sign(data, padding.PKCS1v15(), hash_)


def _version_by(identifier: str) -> str:
    """RFC 5652, 5.3: by how the signer is named."""
    return "v1" if identifier == "issuer_and_serial_number" else "v3"
