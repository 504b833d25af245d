# SPDX-License-Identifier: Apache-2.0
"""RFC 3161 answers as asn1crypto writes them: what our own writer must equal, and is timed against.

asn1crypto has no types: each structure enters as Any.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asn1crypto import cms, core, tsp
from asn1crypto import x509 as asn1_x509

from assay.signing import tokens
from assay.signing.certificates import Chain
from assay.signing.keys import Signer
from assay.signing.tokens import Token

_TSTInfo: Any = tsp.TSTInfo
_Attributes: Any = cms.CMSAttributes
_SignedData: Any = cms.SignedData
_Certificate: Any = asn1_x509.Certificate
_OctetString: Any = core.ParsableOctetString


class _TimeStampResp(core.Sequence):  # type: ignore[misc]  # the base class has no types
    """RFC 3161, 2.4.2; in asn1crypto's own class the token is not optional."""

    _fields = [
        ("status", tsp.PKIStatusInfo),
        ("time_stamp_token", cms.ContentInfo, {"optional": True}),
    ]


Response: Any = _TimeStampResp


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a request asks for."""

    algorithm: str
    digest: bytes
    nonce: int | None
    wants_certificates: bool


def query(asked: Asked) -> bytes:
    """A TimeStampReq."""
    imprint = {"hash_algorithm": {"algorithm": asked.algorithm}, "hashed_message": asked.digest}
    fields = {"version": "v1", "message_imprint": imprint, "cert_req": asked.wants_certificates}
    nonce = {} if asked.nonce is None else {"nonce": asked.nonce}
    return bytes(tsp.TimeStampReq({**fields, **nonce}).dump())


def read_query(request: bytes) -> Asked:
    """The same fields, read."""
    fields: dict[str, Any] = tsp.TimeStampReq.load(request, strict=True).native
    return Asked(
        algorithm=fields["message_imprint"]["hash_algorithm"]["algorithm"],
        digest=fields["message_imprint"]["hashed_message"],
        nonce=fields["nonce"],
        wants_certificates=fields["cert_req"],
    )


def info(asked: Asked, *, serial: int, at: datetime) -> bytes:
    """A TSTInfo."""
    imprint = {"hash_algorithm": {"algorithm": asked.algorithm}, "hashed_message": asked.digest}
    fields: dict[str, object] = {
        "version": "v1",
        "policy": tokens.POLICY,
        "message_imprint": imprint,
        "serial_number": serial,
        "gen_time": at.replace(microsecond=0),
    }
    if asked.nonce is not None:
        fields["nonce"] = asked.nonce
    return bytes(_TSTInfo(fields).dump())


def granted(token: Token, chain: Chain) -> bytes:
    """The response that these parts make."""
    leaf = _Certificate.load(chain.to_der()[0])
    signer_info = {
        "version": "v1",
        "sid": {
            "issuer_and_serial_number": {"issuer": leaf.issuer, "serial_number": leaf.serial_number}
        },
        "digest_algorithm": {"algorithm": "sha256"},
        "signed_attrs": _Attributes.load(token.signed_attributes),
        "signature_algorithm": {"algorithm": "sha256_ecdsa"},
        "signature": token.signature,
    }
    signed: dict[str, object] = {
        "version": "v3",
        "digest_algorithms": [{"algorithm": "sha256"}],
        "encap_content_info": {"content_type": "tst_info", "content": _OctetString(token.info)},
        "signer_infos": [signer_info],
    }
    if token.certificates:
        signed["certificates"] = [_Certificate.load(der) for der in token.certificates]
    content = {"content_type": "signed_data", "content": _SignedData(signed)}
    return bytes(Response({"status": {"status": "granted"}, "time_stamp_token": content}).dump())


def rejection(failure: str, reason: str) -> bytes:
    """A response without a token."""
    status = {"status": "rejection", "status_string": [reason], "fail_info": {failure}}
    return bytes(Response({"status": status}).dump())


def answer(asked: Asked, *, key: Signer, chain: Chain, at: datetime, serial: int) -> bytes:
    """A whole answer, as the authority gave it before it wrote DER itself."""
    content = info(asked, serial=serial, at=at)
    leaf, _ = certificates = chain.to_der()
    attributes = tokens.signed_attributes(content, leaf)
    token = Token(
        info=content,
        signed_attributes=attributes,
        signature=key.sign(attributes),
        certificates=certificates if asked.wants_certificates else (),
    )
    return granted(token, chain)
