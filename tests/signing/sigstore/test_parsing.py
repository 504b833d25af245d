# SPDX-License-Identifier: Apache-2.0
"""Bundles and trusted roots as others write them, and what is neither."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TypeAlias

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa, x448
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assay.signing.canonical import base64_text
from assay.signing.errors import InvalidDocument
from assay.signing.sigstore import SigstoreBundle, TrustedRoot
from tests.signing.oms.models import Change
from tests.signing.oms.test_manifest import set_at, without
from tests.signing.pki import ec_key
from tests.signing.sigstore.bundles import envelope, message
from tests.signing.sigstore.instance import Instance

INSTANCE = Instance()
MADE = envelope(INSTANCE, "dsse", "0.0.1")
MESSAGE = message(INSTANCE)
Path: TypeAlias = tuple[str | int, ...]
MATERIAL = "verificationMaterial"
ENTRY = (MATERIAL, "tlogEntries", 0)
PROOF = (*ENTRY, "inclusionProof")


def parse(value: object) -> SigstoreBundle:
    return SigstoreBundle.parse(json.dumps(value).encode())


def copy(value: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(value))
    return found


READ: dict[str, Change] = {
    "the older media type": set_at(
        "mediaType", to="application/vnd.dev.sigstore.bundle+json;version=0.3"
    ),
    "no timestamps": without(MATERIAL, "timestampVerificationData"),
    "empty timestamps": set_at(MATERIAL, "timestampVerificationData", to={}),
    "index 0 left out": without(*ENTRY, "logIndex"),
    "no hashes": without(*PROOF, "hashes"),
    "the last second that can be written": set_at(*ENTRY, "integratedTime", to="253402300799"),
    "no promise": set_at(*ENTRY, "inclusionPromise", to=None),
    "null for what there is not": set_at(MATERIAL, "publicKey", to=None),
    "some key id": set_at("dsseEnvelope", "signatures", 0, "keyid", to="x"),
    "no key id": set_at("dsseEnvelope", "signatures", 0, "keyid", to=None),
}


@pytest.mark.parametrize("variety", READ)
def test_what_others_write_is_read(variety: str) -> None:
    value = copy(MADE)
    READ[variety](value)
    assert parse(value).certificate == parse(MADE).certificate


REFUSED: dict[str, Change] = {
    "another media type": set_at("mediaType", to="application/json"),
    "no material": without(MATERIAL),
    "a key": set_at(MATERIAL, "certificate", to=None),
    "a certificate that is none": set_at(MATERIAL, "certificate", to={"rawBytes": "AA=="}),
    "no entry": set_at(MATERIAL, "tlogEntries", to=[]),
    "two entries": lambda value: value[MATERIAL]["tlogEntries"].append({}),
    "no content": without("dsseEnvelope"),
    "two contents": set_at("messageSignature", to={}),
    "no signature": set_at("dsseEnvelope", "signatures", to=[]),
    "no kind": without(*ENTRY, "kindVersion"),
    "no proof": without(*ENTRY, "inclusionProof"),
    "no note": without(*PROOF, "checkpoint"),
    "no root": without(*PROOF, "rootHash"),
    "a short root": set_at(*PROOF, "rootHash", to="AAAA"),
    "a number": set_at(*PROOF, "treeSize", to=3),
    "a word": set_at(*PROOF, "treeSize", to="three"),
    "many hashes": set_at(*PROOF, "hashes", to=["AA=="] * 65),
    "a promise that is none": set_at(*ENTRY, "inclusionPromise", to={}),
    "a time after the last year": set_at(*ENTRY, "integratedTime", to="253402300800"),
    "a time in milliseconds": set_at(*ENTRY, "integratedTime", to="1778701654000"),
    "two kinds of key": set_at(MATERIAL, "publicKey", to={"hint": "x"}),
    "a chain beside the certificate": set_at(MATERIAL, "x509CertificateChain", to={}),
    "a key id that is none": set_at("dsseEnvelope", "signatures", 0, "keyid", to=0),
    "one timestamp twice": lambda value: value[MATERIAL]["timestampVerificationData"][
        "rfc3161Timestamps"
    ].extend(value[MATERIAL]["timestampVerificationData"]["rfc3161Timestamps"]),
    "many timestamps": set_at(
        MATERIAL, "timestampVerificationData", "rfc3161Timestamps", to=[{}] * 9
    ),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_the_bundle_is_refused_for(fault: str) -> None:
    value = copy(MADE)
    REFUSED[fault](value)
    with pytest.raises(InvalidDocument):
        parse(value)


def objects(value: object, path: Path = ()) -> Iterator[Path]:
    """Where there is a JSON object, from the outermost on."""
    match value:
        case dict():
            yield path
            for name, child in value.items():
                yield from objects(child, (*path, name))
        case list():
            for place, child in enumerate(value):
                yield from objects(child, (*path, place))
        case _:
            pass


@pytest.mark.parametrize("made", [MADE, MESSAGE], ids=["envelope", "message"])
def test_no_field_is_passed_over(made: dict[str, Any]) -> None:
    for place in objects(made):
        value = copy(made)
        set_at(*place, "extra", to=1)(value)
        with pytest.raises(InvalidDocument, match="extra': expected no such field"):
            parse(value)


def test_a_message_is_digested_by_sha256() -> None:
    value = message(INSTANCE)
    value["messageSignature"]["messageDigest"]["algorithm"] = "SHA2_512"
    with pytest.raises(InvalidDocument, match="SHA2_256"):
        parse(value)


LOG = ("tlogs", 0)
AUTHORITY = ("certificateAuthorities", 0)
BAD_ROOTS: dict[str, Change] = {
    "another media type": set_at("mediaType", to="application/json"),
    "no key": without(*LOG, "publicKey"),
    "a key that is none": set_at(*LOG, "publicKey", "rawBytes", to="AA=="),
    "no period": without(*LOG, "publicKey", "validFor"),
    "no start": set_at(*LOG, "publicKey", "validFor", to={"end": "2026-01-01T00:00:00Z"}),
    "a time that is none": set_at(*AUTHORITY, "validFor", to={"start": "yesterday"}),
    "a time of nowhere": set_at(*AUTHORITY, "validFor", to={"start": "2026-01-01T00:00:00"}),
    "no id": without(*LOG, "logId"),
    "no certificates": set_at(*AUTHORITY, "certChain", to={"certificates": []}),
    "many certificates": set_at(*AUTHORITY, "certChain", to={"certificates": [{}] * 9}),
    "logs that are none": set_at("ctlogs", to=1),
}


@pytest.mark.parametrize("fault", BAD_ROOTS)
def test_the_trusted_root_is_refused_for(fault: str) -> None:
    value = INSTANCE.trusted_root()
    BAD_ROOTS[fault](value)
    with pytest.raises(InvalidDocument):
        TrustedRoot.parse(json.dumps(value).encode())


def with_key(der: bytes) -> TrustedRoot:
    value = INSTANCE.trusted_root()
    set_at(*LOG, "publicKey", "rawBytes", to=base64_text(der))(value)
    return TrustedRoot.parse(json.dumps(value).encode())


def test_a_key_of_another_kind_is_passed_over() -> None:
    x448_key = x448.X448PrivateKey.generate().public_key()
    spki = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert with_key(x448_key.public_bytes(*spki)).logs == ()
    unknown = ec_key().public_key().public_bytes(*spki)
    p256, other = bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d03017f")
    assert with_key(unknown.replace(p256, other)).logs == ()
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    assert len(with_key(rsa_key.public_bytes(*spki)).logs) == 1
    assert len(with_key(rsa_key.public_bytes(Encoding.DER, PublicFormat.PKCS1)).logs) == 1


def test_parts_may_be_left_out() -> None:
    root = TrustedRoot.parse(
        b'{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'
    )
    assert (root.logs, root.authorities) == ((), ())
