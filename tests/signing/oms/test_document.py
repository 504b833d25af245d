# SPDX-License-Identifier: Apache-2.0
"""The bundle around a statement: what others write is read, and what is no bundle refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assay.signing import canonical
from assay.signing.canonical import base64_text
from assay.signing.errors import InvalidDocument
from assay.signing.oms.document import MAX_CHAIN, Document
from tests.signing.oms.models import Change
from tests.signing.oms.test_manifest import set_at, without
from tests.signing.pki import authority, signer

ROOT = authority("root")
LEAF = signer(ROOT)
BY_KEY = Document(payload=b"{}", signature=b"s", hint="ab")
CERTIFIED = Document(payload=b"{}", signature=b"s", chain=(LEAF.certificate, ROOT.certificate))
MATERIAL = "verificationMaterial"
ENVELOPE = "dsseEnvelope"


def document_json(document: Document) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(canonical.dumps(document.to_json()))
    return value


def parse(value: object) -> Document:
    return Document.parse(json.dumps(value).encode())


@pytest.mark.parametrize("document", [BY_KEY, CERTIFIED])
def test_a_document_reads_back(document: Document) -> None:
    assert parse(document.to_json()) == document


SIGNATURE = (ENVELOPE, "signatures", 0)
STAMPS = {"rfc3161Timestamps": [{"signedTimestamp": base64_text(b"t"), "x": 1}]}
READ: dict[str, Change] = {
    "no key id": without(*SIGNATURE, "keyid"),
    "null as key id": set_at(*SIGNATURE, "keyid", to=None),
    "any key id": set_at(*SIGNATURE, "keyid", to="x"),
    "no log entries": without(MATERIAL, "tlogEntries"),
    "raw bytes": set_at(MATERIAL, "publicKey", to={"rawBytes": "AA==", "keyDetails": "X"}),
    "other material null": set_at(MATERIAL, "certificate", to=None),
    "timestamps null": set_at(MATERIAL, "timestampVerificationData", to=None),
    "no timestamps": set_at(MATERIAL, "timestampVerificationData", to={}),
    "more material": set_at(MATERIAL, "x", to=1.5),
}


@pytest.mark.parametrize("variety", READ)
def test_what_others_write_is_read(variety: str) -> None:
    value = document_json(BY_KEY)
    READ[variety](value)
    found = parse(value)
    assert (found.payload, found.signature, found.timestamps) == (b"{}", b"s", ())


def test_timestamps_are_read() -> None:
    value = document_json(BY_KEY)
    set_at(MATERIAL, "timestampVerificationData", to=STAMPS)(value)
    assert parse(value).timestamps == (b"t",)


DER = {"rawBytes": base64_text(LEAF.der)}
REFUSED: dict[str, Change] = {
    "no media type": without("mediaType"),
    "another media type": set_at("mediaType", to="application/json"),
    "an old media type": set_at(
        "mediaType", to="application/vnd.dev.sigstore.bundle+json;version=0.1"
    ),
    "another field": set_at("x", to=1),
    "no material": without(MATERIAL),
    "no key": without(MATERIAL, "publicKey"),
    "a key without a hint": set_at(MATERIAL, "publicKey", to={}),
    "a key and a certificate": set_at(MATERIAL, "x509CertificateChain", to={"certificates": [DER]}),
    "a keyless certificate": lambda value: value.update({MATERIAL: {"certificate": DER}}),
    "no certificates": lambda value: value.update(
        {MATERIAL: {"x509CertificateChain": {"certificates": []}}}
    ),
    "too many certificates": lambda value: value.update(
        {MATERIAL: {"x509CertificateChain": {"certificates": [DER] * (MAX_CHAIN + 1)}}}
    ),
    "a certificate that is none": lambda value: value.update(
        {MATERIAL: {"x509CertificateChain": {"certificates": [{"rawBytes": "AA=="}]}}}
    ),
    "no envelope": without(ENVELOPE),
    "another payload type": set_at(ENVELOPE, "payloadType", to="application/octet-stream"),
    "no payload": without(ENVELOPE, "payload"),
    "no signature": set_at(ENVELOPE, "signatures", to=[]),
    "two signatures": set_at(ENVELOPE, "signatures", to=[{"sig": "AA=="}] * 2),
    "a signature that is none": set_at(*SIGNATURE, to=1),
    "too many timestamps": set_at(
        MATERIAL,
        "timestampVerificationData",
        to={"rfc3161Timestamps": STAMPS["rfc3161Timestamps"] * 9},
    ),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_the_bundle_is_refused_for(fault: str) -> None:
    value = document_json(BY_KEY)
    REFUSED[fault](value)
    with pytest.raises(InvalidDocument):
        parse(value)


@pytest.mark.parametrize("data", [b"", b'{"garbage": true}', b"[]", b"\xff", b"{"])
def test_other_bytes_are_no_bundle(data: bytes) -> None:
    with pytest.raises(InvalidDocument):
        Document.parse(data)
    with pytest.raises(InvalidDocument):
        Document.parse(canonical.dumps(BY_KEY.to_json())[:100])
