# SPDX-License-Identifier: Apache-2.0
"""Checks each link of a bundle with code that is not ours; run by the clients' own interpreter.

Arguments: the root certificate (PEM), the ledger's key and its key for certificates (DER), the
bundles. Prints a line for
each program that agrees, and dies of its exception otherwise. Imports nothing of Assay.
"""
# mypy: disable-error-code="import-not-found,import-untyped,misc,no-untyped-call,unused-ignore"

import base64
import hashlib
import json
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from rfc3161_client import VerifierBuilder, decode_timestamp_response
from securesystemslib.dsse import Envelope as SslibEnvelope
from securesystemslib.signer._key import SSlibKey
from sigstore._internal.merkle import verify_merkle_inclusion
from sigstore._internal.rekor.checkpoint import verify_checkpoint
from sigstore._internal.sct import verify_sct
from sigstore._internal.trust import CTKeyring, Keyring, RekorKeyring
from sigstore.dsse import Envelope, _verify
from sigstore.models import TransparencyLogEntry
from sigstore_models.bundle.v1 import Bundle
from sigstore_models.common.v1 import PublicKey, PublicKeyDetails


def main(root_path: str, ledger_path: str, log_path: str, *bundle_paths: str) -> None:
    """Have every bundle judged."""
    for bundle_path in bundle_paths:
        judge(bundle_path, root_path, ledger_path)
        judge_certificate(bundle_path, log_path)


def judge_certificate(bundle_path: str, log_path: str) -> None:
    """Have it judged that a leaf was logged, as sigstore-python judges those of Fulcio's."""
    material = Bundle.from_json(Path(bundle_path).read_bytes()).verification_material
    chain = [
        x509.load_der_x509_certificate(each.raw_bytes)
        for each in material.x509_certificate_chain.certificates
    ]
    log = PublicKey(
        raw_bytes=base64.b64encode(Path(log_path).read_bytes()),
        key_details=PublicKeyDetails.PKIX_ECDSA_P256_SHA_256,
    )
    verify_sct(chain[0], chain[1:], CTKeyring(Keyring([log])))
    agrees("sigstore: certificate timestamp")


def judge(bundle_path: str, root_path: str, ledger_path: str) -> None:
    """Have every link of a bundle judged."""
    document = json.loads(Path(bundle_path).read_bytes())
    root = x509.load_pem_x509_certificate(Path(root_path).read_bytes())
    bundle = Bundle.from_json(Path(bundle_path).read_bytes())
    material = bundle.verification_material
    ders = [each.raw_bytes for each in material.x509_certificate_chain.certificates]
    leaf = x509.load_der_x509_certificate(ders[0])
    key = leaf.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    agrees("sigstore-models: parsed")

    envelope = json.dumps(document["dsseEnvelope"])
    payload = _verify(key, Envelope._from_json(envelope))
    agrees("sigstore: signature")

    signed = SslibEnvelope.from_dict(json.loads(envelope))
    foreign = SSlibKey.from_crypto(key)
    foreign.keyid = ""  # it goes by ids, and ours is in the certificate
    signed.verify([foreign], 1)
    agrees("securesystemslib: signature")

    (entry,) = material.tlog_entries
    verify_merkle_inclusion(TransparencyLogEntry(entry))
    agrees("sigstore: inclusion")

    ledger = PublicKey(
        raw_bytes=base64.b64encode(Path(ledger_path).read_bytes()),
        key_details=PublicKeyDetails.PKIX_ED25519,
    )
    verify_checkpoint(RekorKeyring(Keyring([ledger])), TransparencyLogEntry(entry))
    agrees("sigstore: tree head")

    body = json.loads(entry.canonicalized_body)
    assert body["spec"]["payloadHash"]["value"] == hashlib.sha256(payload).hexdigest()

    (stamp,) = document["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]
    response = decode_timestamp_response(base64.b64decode(stamp["signedTimestamp"]))
    signature = base64.b64decode(document["dsseEnvelope"]["signatures"][0]["sig"])
    verifier = VerifierBuilder().add_root_certificate(root).build()
    verifier.verify_message(response, signature)
    agrees("rfc3161-client: timestamp")


def agrees(whose: str) -> None:
    """A line at once: of a program that dies, what was found before it is known."""
    sys.stdout.write(f"{whose}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
