# SPDX-License-Identifier: Apache-2.0
"""Bundles: one strict form, and the ledger entry that belongs to them."""

import hashlib
import json
from base64 import b64decode, b64encode
from typing import Any, TypeAlias

import pytest

from assay.signing import canonical
from assay.signing.bundle import Bundle, LedgerProof, ledger_leaf
from assay.signing.errors import InvalidDocument
from assay.signing.sigstore import SigstoreBundle
from tests.signing.world import World


@pytest.fixture
def bundle(world: World) -> Bundle:
    return world.model_signature()


Document: TypeAlias = Any


def as_json(bundle: Bundle) -> Document:
    return canonical.loads(canonical.dumps(bundle.to_json()))


def test_for_sigstores_clients_it_has_the_leaf_alone(bundle: Bundle) -> None:
    ours = as_json(bundle)
    theirs: Document = canonical.loads(canonical.dumps(bundle.to_sigstore_json()))
    chain = ours["verificationMaterial"].pop("x509CertificateChain")
    leaf = theirs["verificationMaterial"].pop("certificate")
    assert leaf == chain["certificates"][0]
    assert ours == theirs


def test_a_bundle_reads_back_from_its_json(bundle: Bundle) -> None:
    assert Bundle.parse(as_json(bundle)) == bundle


def test_its_form_for_sigstores_clients_differs_in_the_certificates_alone(bundle: Bundle) -> None:
    ours, theirs = as_json(bundle), bundle.to_sigstore_json()
    SigstoreBundle.parse(canonical.dumps(theirs))
    material: Document = theirs["verificationMaterial"]
    chain = ours["verificationMaterial"].pop("x509CertificateChain")
    assert material.pop("certificate") == chain["certificates"][0]
    assert theirs == ours


def test_the_ledger_entry_is_rekors_dsse_body(bundle: Bundle) -> None:
    entry = json.loads(ledger_leaf(bundle.envelope, bundle.chain.leaf))
    envelope = canonical.dumps(bundle.envelope.to_json())
    assert (entry["apiVersion"], entry["kind"]) == ("0.0.1", "dsse")
    assert entry["spec"]["envelopeHash"]["value"] == hashlib.sha256(envelope).hexdigest()
    payload_hash = hashlib.sha256(bundle.envelope.payload).hexdigest()
    assert entry["spec"]["payloadHash"]["value"] == payload_hash
    (signature,) = entry["spec"]["signatures"]
    assert b64decode(signature["signature"]) == bundle.envelope.signature
    assert b64decode(signature["verifier"]) == bundle.chain.leaf_pem


def test_a_bundle_has_the_entry_that_belongs_to_it_unless_it_states_one(bundle: Bundle) -> None:
    assert bundle.entry == ledger_leaf(bundle.envelope, bundle.chain.leaf)
    stated = as_json(bundle)
    stated["verificationMaterial"]["tlogEntries"][0]["canonicalizedBody"] = "e30="
    assert Bundle.parse(stated).entry == b"{}"


def test_a_proof_takes_size_and_root_from_the_tree_head(world: World, bundle: Bundle) -> None:
    proof = bundle.proof
    again = LedgerProof.of(
        proof.index, proof.hashes, note=world.note(), verifier=world.trust.verifier
    )
    assert again == proof


LONG = b64encode(bytes(33)).decode()


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("mediaType", "application/json", "mediaType: expected application/vnd.dev.sigstore"),
        ("comment", "", "'comment': expected no such field"),
        ("verificationMaterial.certificate", {}, "'certificate': expected no such field"),
        ("verificationMaterial.x509CertificateChain.certificates", [], "chain: expected a leaf"),
        ("verificationMaterial.tlogEntries", [], "tlogEntries: expected exactly one, found 0"),
        (
            "verificationMaterial.tlogEntries",
            [{}, {}],
            "tlogEntries: expected exactly one, found 2",
        ),
        ("verificationMaterial.tlogEntries", [1], "tlogEntries: expected an object"),
        (
            "verificationMaterial.timestampVerificationData.rfc3161Timestamps",
            [],
            "rfc3161Timestamps: expected exactly one",
        ),
        ("verificationMaterial.tlogEntries.0.integratedTime", "0", "'integratedTime': expected no"),
        (
            "verificationMaterial.tlogEntries.0.kindVersion.version",
            "0.0.2",
            "kindVersion: expected dsse/0.0.1 or hashedrekord/0.0.2",
        ),
        (
            "verificationMaterial.tlogEntries.0.kindVersion.kind",
            "rekord",
            "kindVersion: expected dsse/0.0.1",
        ),
        (
            "verificationMaterial.tlogEntries.0.logId.keyId",
            LONG,
            "keyId: expected 32 bytes, found 33",
        ),
        ("verificationMaterial.tlogEntries.0.logIndex", "7", "logIndex: expected 0, as in the"),
        (
            "verificationMaterial.tlogEntries.0.logIndex",
            "00",
            "logIndex: expected an integer, written",
        ),
        ("verificationMaterial.tlogEntries.0.logIndex", 0, "logIndex: expected a string"),
        (
            "verificationMaterial.tlogEntries.0.inclusionProof.treeSize",
            "9007199254740993",
            "treeSize: expected an integer, written as a string",
        ),
        ("verificationMaterial.tlogEntries.0.inclusionProof.hashes", [LONG], "hashes: expected 32"),
        (
            "verificationMaterial.tlogEntries.0.inclusionProof.hashes",
            [b64encode(bytes(32)).decode()] * 65,
            "hashes: expected at most 64 items, found 65",
        ),
    ],
)
def test_another_form_is_refused(bundle: Bundle, path: str, value: object, says: str) -> None:
    document = as_json(bundle)
    *outer, last = path.split(".")
    inner = document
    for key in outer:
        inner = inner[int(key) if key.isdigit() else key]
    inner[last] = value
    with pytest.raises(InvalidDocument, match=says):
        Bundle.parse(document)
