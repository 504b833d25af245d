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
from . import methods
from .errors import InputUnreadable
from .methods import METHODS, VERIFYING, words_of
from .sign import add_chain, add_ignored, certificates, existing
from .sigstore import add_trusted_root, trusted_root
from .terminal import Ink, Terminal

# What only a model that somebody signed is verified by, and what only a registry's.
OURS = ("bundle", *words_of(VERIFYING), "ignore_paths", "ignore_unsigned_files")
REGISTRYS = (
    *(
        "evidence",
        "proof",
        "checkpoint",
        "ignore",
        "signer",
        "policy",
        "crl",
        "ocsp",
        "as_of",
        "pack",
        "base",
        "fingerprint",
    ),
    "accept_unknown_revocation",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Those that `assay verify` takes for a model that was not signed by a registry."""
    add = parser.add_argument
    add("--method", choices=METHODS, help="for a model that no registry signed: by what it was")
    where = f"the signature; else {SIGNATURE_NAME} in the folder"
    add("--bundle", type=Path, metavar="FILE", help=where)
    add_chain(parser, meaning="the certificates to trust; may be repeated")
    add_ignored(parser, meaning="what is no part of the model")
    add_trust(parser)


def add_trust(parser: argparse.ArgumentParser) -> None:
    """What says whom to trust, by method, and what may lie beside the files that were signed."""
    add = parser.add_argument
    add("--public-key", type=Path, metavar="FILE", help="the key to trust, in PEM")
    add("--identity", metavar="NAME", help="who must have signed")
    add("--identity-provider", metavar="URL", help="who vouches for that")
    add_trusted_root(parser)
    add("--ignore-unsigned-files", action="store_true", help="allow other files beside")


def check_words(arguments: argparse.Namespace) -> None:
    """Refuse words that do not go together: none is passed over that somebody relies on."""
    if arguments.method is None:
        methods.refuse(arguments, OURS, why="goes with --method")
        return
    methods.refuse(arguments, REGISTRYS, why="is for what a registry signed")
    if len(arguments.paths) > 1:
        arguments.refuse_words(f"--method takes one PATH, found {len(arguments.paths)}")
    methods.check(arguments, VERIFYING)


def run(arguments: argparse.Namespace, *, terminal: Terminal) -> int:
    """Verify a model's files by its signature, and say by whom they were signed.

    The words were checked before (`check_words`).
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
