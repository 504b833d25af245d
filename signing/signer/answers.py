# SPDX-License-Identifier: Apache-2.0
"""The signer's answers as values: how the service writes them and how the client reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .. import canonical
from ..certificates import Chain
from ..envelope import Envelope
from ..errors import InvalidDocument, SignerError
from ..keys import PublicKey
from ..once import once
from ..trust import TrustRoot
from .errors import BY_CODE, SignerRefusal
from .highwater import Head
from .protocol import MAX_MESSAGE_BYTES

_trust_root = once(TrustRoot.parse)  # it is the same each time, and its root verifies itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """The trust root this signer signs under, and its ledger's high-water mark."""

    trust_root: TrustRoot
    head: Head


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A signed statement: the envelope, who signed it, and when that was (TimeStampResp, DER)."""

    envelope: Envelope
    chain: Chain
    timestamp: bytes


def write_description(description: Description) -> bytes:
    """The answer to `describe`."""
    head = {"root": canonical.base64_text(description.head.root), "size": description.head.size}
    return canonical.dumps({"head": head, "trust_root": description.trust_root.to_json()})


def write_signed(signed: Signed) -> bytes:
    """The answer to `sign`."""
    return canonical.dumps(
        {
            "chain": _chain_json(signed.chain),
            "envelope": signed.envelope.to_json(),
            "timestamp": canonical.base64_text(signed.timestamp),
        }
    )


def write_signed_all(found: Sequence[Signed | SignerRefusal]) -> bytes:
    """The answer to `sign_all`: chains once each, and no payload, which the caller has."""
    chains = list(dict.fromkeys(each.chain for each in found if isinstance(each, Signed)))
    places = {chain: place for place, chain in enumerate(chains)}
    signed = [
        {
            "chain": places[each.chain],
            "signature": canonical.base64_text(each.envelope.signature),
            "timestamp": canonical.base64_text(each.timestamp),
        }
        if isinstance(each, Signed)
        else _refused(each)
        for each in found
    ]
    return canonical.dumps({"chains": [_chain_json(each) for each in chains], "signed": signed})


def write_timestamp(response: bytes) -> bytes:
    """The answer to `timestamp`."""
    return canonical.dumps({"timestamp": canonical.base64_text(response)})


def write_precertificate(precertificate: bytes) -> bytes:
    """The answer to `precertify`."""
    return canonical.dumps({"precertificate": canonical.base64_text(precertificate)})


def write_certificate(certificate: bytes | None) -> bytes:
    """The answer to `certificate`."""
    encoded = None if certificate is None else canonical.base64_text(certificate)
    return canonical.dumps({"certificate": encoded})


def write_authorities(ders: Sequence[bytes]) -> bytes:
    """The answer to `authorities`."""
    return canonical.dumps({"certificates": [canonical.base64_text(each) for each in ders]})


def write_chain(chain: Chain) -> bytes:
    """The answer to `certify`."""
    return canonical.dumps({"chain": _chain_json(chain)})


def write_token(token: str) -> bytes:
    """The answer to `sign_token`."""
    return canonical.dumps({"token": token})


def write_token_key(jwk: Mapping[str, str]) -> bytes:
    """The answer to `token_key`."""
    return canonical.dumps({"token_key": dict(jwk)})


def write_signature(signature: bytes) -> bytes:
    """The answer to `sign_metadata` and `sign_claim`."""
    return canonical.dumps({"signature": canonical.base64_text(signature)})


def write_public_key(key: PublicKey) -> bytes:
    """The answer to `distribution_key`."""
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return canonical.dumps({"public_key": canonical.base64_text(der)})


def write_note(note: str) -> bytes:
    """The answer to `sign_head`."""
    return canonical.dumps({"note": note})


def write_crl(crl: bytes) -> bytes:
    """The answer to `sign_crl` and `root_crl`."""
    return canonical.dumps({"crl": canonical.base64_text(crl)})


def write_ocsp(response: bytes) -> bytes:
    """The answer to `sign_ocsp`."""
    return canonical.dumps({"ocsp": canonical.base64_text(response)})


def write_refusal(refusal: SignerRefusal) -> bytes:
    """The answer when nothing was signed."""
    return canonical.dumps(_refused(refusal))


def _refused(refusal: SignerRefusal) -> dict[str, object]:
    return {"error": {"code": refusal.code, "message": str(refusal)}}


def read(message: bytes) -> Mapping[str, object]:
    """An answer's fields; raises the refusal that it holds, or InvalidDocument."""
    document = canonical.as_mapping(canonical.loads(message, max_bytes=MAX_MESSAGE_BYTES), "answer")
    if "error" in document:
        raise _read_refusal(document)
    return document


def read_description(answer: Mapping[str, object]) -> Description:
    """What `describe` told."""
    canonical.only(answer, "head", "trust_root")
    head = canonical.mapping(answer, "head")
    return Description(
        trust_root=_trust_root(answer["trust_root"]),
        head=Head(size=canonical.integer(head, "size"), root=canonical.base64_bytes(head, "root")),
    )


def read_signed(answer: Mapping[str, object]) -> Signed:
    """What `sign` made."""
    canonical.only(answer, "chain", "envelope", "timestamp")
    return Signed(
        envelope=Envelope.parse(canonical.mapping(answer, "envelope")),
        chain=_chain(answer),
        timestamp=canonical.base64_bytes(answer, "timestamp"),
    )


def read_signed_all(
    answer: Mapping[str, object], statements: Sequence[bytes]
) -> list[Signed | SignerError]:
    """What `sign_all` made of these statements, or why it did not, in their order."""
    canonical.only(answer, "chains", "signed")
    chains = [_chain({"chain": each}) for each in canonical.items(answer, "chains")]
    found = [canonical.as_mapping(each, "signed") for each in canonical.items(answer, "signed")]
    if len(found) != len(statements):
        raise InvalidDocument("signed", f"{len(statements)} of them", str(len(found)))
    return [
        _read_refusal(one) if "error" in one else _read_one(one, statement, chains)
        for one, statement in zip(found, statements, strict=True)
    ]


def _read_one(one: Mapping[str, object], statement: bytes, chains: Sequence[Chain]) -> Signed:
    canonical.only(one, "chain", "signature", "timestamp")
    signature = canonical.base64_bytes(one, "signature")
    return Signed(
        envelope=Envelope(payload=statement, signature=signature),
        chain=chains[canonical.integer(one, "chain", maximum=len(chains) - 1)],
        timestamp=canonical.base64_bytes(one, "timestamp"),
    )


def _read_refusal(document: Mapping[str, object]) -> SignerError:
    error = canonical.mapping(document, "error")
    code, text = canonical.text(error, "code"), canonical.text(error, "message")
    kind = BY_CODE.get(code)
    return SignerError(code, text) if kind is None else kind(text)


def read_timestamp(answer: Mapping[str, object]) -> bytes:
    """What `timestamp` made."""
    canonical.only(answer, "timestamp")
    return canonical.base64_bytes(answer, "timestamp")


def read_precertificate(answer: Mapping[str, object]) -> bytes:
    """What `precertify` made (DER)."""
    canonical.only(answer, "precertificate")
    return canonical.base64_bytes(answer, "precertificate")


def read_certificate(answer: Mapping[str, object]) -> bytes | None:
    """What `certificate` showed (DER)."""
    canonical.only(answer, "certificate")
    return canonical.nullable(answer, "certificate", canonical.base64_bytes)


def read_authorities(answer: Mapping[str, object]) -> tuple[bytes, ...]:
    """What `authorities` showed (DER)."""
    canonical.only(answer, "certificates")
    encoded = canonical.items(answer, "certificates")
    return tuple(canonical.base64_bytes({"certificates": one}, "certificates") for one in encoded)


def read_chain(answer: Mapping[str, object]) -> Chain:
    """What `certify` made."""
    canonical.only(answer, "chain")
    return _chain(answer)


def read_token(answer: Mapping[str, object]) -> str:
    """What `sign_token` made."""
    canonical.only(answer, "token")
    return canonical.text(answer, "token")


def read_token_key(answer: Mapping[str, object]) -> Mapping[str, str]:
    """The JWK that `token_key` showed."""
    canonical.only(answer, "token_key")
    key = canonical.mapping(answer, "token_key")
    return {name: canonical.text(key, name) for name in key}


def read_signature(answer: Mapping[str, object]) -> bytes:
    """What `sign_metadata` or `sign_claim` made."""
    canonical.only(answer, "signature")
    return canonical.base64_bytes(answer, "signature")


def read_public_key(answer: Mapping[str, object]) -> bytes:
    """The SubjectPublicKeyInfo (DER) that `distribution_key` showed."""
    canonical.only(answer, "public_key")
    return canonical.base64_bytes(answer, "public_key")


def read_note(answer: Mapping[str, object]) -> str:
    """What `sign_head` made."""
    canonical.only(answer, "note")
    return canonical.text(answer, "note")


def read_crl(answer: Mapping[str, object]) -> bytes:
    """The list that `sign_crl` made or `root_crl` showed."""
    canonical.only(answer, "crl")
    return canonical.base64_bytes(answer, "crl")


def read_ocsp(answer: Mapping[str, object]) -> bytes:
    """The OCSPResponse that `sign_ocsp` made."""
    canonical.only(answer, "ocsp")
    return canonical.base64_bytes(answer, "ocsp")


def _chain_json(chain: Chain) -> list[str]:
    return [canonical.base64_text(der) for der in chain.to_der()]


def _chain(answer: Mapping[str, object]) -> Chain:
    encoded = canonical.items(answer, "chain")
    return Chain.parse([canonical.base64_bytes({"chain": item}, "chain") for item in encoded])
