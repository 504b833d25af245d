# SPDX-License-Identifier: Apache-2.0
"""A model that somebody signed: with a key, a certificate, or an identity (OMS).

assay verify FOLDER --method key --public-key FILE [--bundle FILE]
assay verify FOLDER --method certificate --cert-chain FILE
assay verify FOLDER --method sigstore --identity NAME --identity-provider URL [--trusted-root FILE]

Whom to trust is named on the command line; what registries sign is left to `verify`.
"""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from .. import canonical
from ..envelope import PAYLOAD_TYPE
from ..errors import BadEnvelope, KeyUnusable
from ..manifest import SIGNATURE_NAME
from ..oms import files, plain
from ..oms.document import MAX_BUNDLE_BYTES, Document
from ..oms.manifest import ModelManifest, parse
from ..sigstore import Identity, Signed, SigstoreBundle
from ..sigstore import verify as verify_sigstore
from .errors import InputUnreadable
from .sign import certificates, existing
from .sigstore import trusted_root
from .terminal import Ink, Terminal


def run(arguments: argparse.Namespace, *, terminal: Terminal) -> int:
    """Verify a model's files by its signature, and say by whom they were signed.

    The words were checked before (`methods.check_words`).
    """
    model: Path = arguments.paths[0]
    bundle: Path = arguments.bundle or model / SIGNATURE_NAME
    try:
        count = len(check(arguments, existing(model), bundle).digests)
    except OSError as error:
        raise InputUnreadable(f"{error.filename}: {error.strerror or error}") from error
    if arguments.json:
        found = {"verified": True, "method": arguments.method, "files": count}
        terminal.line(json.dumps(found, indent=2))
        return 0
    terminal.headline("Verified.", Ink.GREEN)
    number = "1 file is" if count == 1 else f"{count} files are"
    terminal.columns("", f"{number} as signed by {_who(arguments)}.", indent=2)
    return 0


def check(arguments: argparse.Namespace, model: Path, bundle: Path) -> ModelManifest:
    """What was signed, once the signature and every file hold. OSError."""
    with bundle.open("rb") as file:
        data = file.read(MAX_BUNDLE_BYTES + 1)
    signed = _signed(arguments, bundle, data)
    files.check_model(
        model,
        signed,
        ignored=(*arguments.ignore_paths, bundle.absolute()),
        allows_unsigned=arguments.ignore_unsigned_files,
    )
    return signed


def _who(arguments: argparse.Namespace) -> str:
    match arguments.method:
        case "key":
            return f"the key of {arguments.public_key}"
        case "certificate":
            roots = ", ".join(str(path) for path in arguments.cert_chain)
            return f"a certificate under {roots}"
        case _:
            return f"{arguments.identity}, says {arguments.identity_provider}"


def _signed(arguments: argparse.Namespace, path: Path, data: bytes) -> ModelManifest:
    """What was signed, by the method that was named and no other."""
    if arguments.method == "key":
        key, document = _public_key(arguments.public_key), _read(path, data)
        return plain.verify_with_key(document, key).manifest
    if arguments.method == "certificate":
        anchors, now = certificates(arguments.cert_chain), datetime.now(UTC)
        document = _read(path, data)
        return plain.verify_with_certificate(document, anchors=anchors, now=now).manifest
    with canonical.within(path.name):
        bundle = SigstoreBundle.parse(data)
    identity = Identity(name=arguments.identity, issuer=arguments.identity_provider)
    root = trusted_root(arguments)
    content = verify_sigstore(bundle, root=root, identity=identity).content
    if not isinstance(content, Signed) or content.payload_type != PAYLOAD_TYPE:
        raise BadEnvelope("expected a statement about a model, found something else")
    return parse(content.payload)


def _read(path: Path, data: bytes) -> Document:
    with canonical.within(path.name):
        return Document.parse(data)


def _public_key(path: Path) -> ec.EllipticCurvePublicKey:
    try:
        key = load_pem_public_key(path.read_bytes())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyUnusable(f"{path.name}: expected a public key in PEM, found none") from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise KeyUnusable(f"{path.name}: expected a P-256, P-384 or P-521 key, found another")
    return key
