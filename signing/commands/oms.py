# SPDX-License-Identifier: Apache-2.0
"""`assay oms sign-model` and `verify-model`: the adapter that OMS conformance suites call.

The flags and the silence are theirs: the exit code is the answer, and a refusal is one line on
stderr. Keys may be of any mode, as suites write theirs; people sign with `assay sign`.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from .. import canonical
from ..client import keyless
from ..envelope import PAYLOAD_TYPE
from ..errors import BadEnvelope, KeyUnusable, NoTrustRoot
from ..keys import SoftwareKey
from ..oms import files, plain
from ..oms.document import MAX_BUNDLE_BYTES, Document
from ..oms.manifest import ModelManifest, parse
from ..sigstore import Identity, Signed, SigstoreBundle
from ..sigstore import verify as verify_sigstore
from ..sigstore.config import TrustConfig
from .errors import InputUnreadable
from .pins import Pins
from .sign import Signing, add_chain, add_ignored, certificates, existing, write, write_public
from .sigstore import add_trusted_root, trusted_root

METHODS = ("key", "certificate", "sigstore")
SIGN, VERIFY = "sign-model", "verify-model"
TRUST_CONFIG = "sigstore-trust-config.json"


def add_parsers(parser: argparse.ArgumentParser) -> None:
    """The words below `assay oms`."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    signer = verbs.add_parser(SIGN, help="write a bundle; exit 0 when it is written")
    verifier = verbs.add_parser(VERIFY, help="check a bundle and a model; exit 0 when they hold")
    for each in (signer, verifier):
        each.set_defaults(refuse_words=each.error)
        each.add_argument("--method", required=True, choices=METHODS)
        each.add_argument("--model-path", required=True, type=Path, metavar="PATH")
        add_chain(each, meaning="signing: the path above the leaf; verifying: whom to trust")
        add_ignored(each, meaning="what is no part of the model")
    signer.add_argument("--output-bundle", required=True, type=Path, metavar="FILE")
    signer.add_argument("--private-key", type=Path, metavar="FILE")
    signer.add_argument("--signing-cert", type=Path, metavar="FILE")
    signer.add_argument("--identity-token", metavar="TOKEN")
    where = f"a Sigstore client's trust config; else {TRUST_CONFIG} in your configuration"
    signer.add_argument("--trust-config", type=Path, metavar="FILE", help=where)
    verifier.add_argument("--bundle", required=True, type=Path, metavar="FILE")
    verifier.add_argument("--public-key", type=Path, metavar="FILE")
    verifier.add_argument("--ignore-unsigned-files", action="store_true")
    verifier.add_argument("--identity", metavar="NAME")
    verifier.add_argument("--identity-provider", metavar="URL")
    add_trusted_root(verifier)


def run(arguments: argparse.Namespace) -> int:
    """Sign or verify, and say nothing."""
    try:
        if arguments.verb == SIGN:
            _sign(arguments)
        else:
            _verify(arguments)
    except OSError as error:
        raise InputUnreadable(f"{error.filename}: {error.strerror or error}") from error
    return 0


def _sign(arguments: argparse.Namespace) -> None:
    _check_words(
        arguments,
        key=("private_key",),
        certificate=("private_key", "signing_cert"),
        sigstore=("identity_token",),
    )
    if arguments.method == "sigstore":
        _sign_keyless(arguments)
        return
    signing = Signing(
        model=arguments.model_path,
        output=arguments.output_bundle,
        ignored=arguments.ignore_paths,
        certificate=arguments.signing_cert if arguments.method == "certificate" else None,
        chain=arguments.cert_chain,
    )
    path: Path = arguments.private_key
    key = SoftwareKey.parse(path.read_bytes(), None, name=path.name)
    write(signing, key, at=datetime.now(UTC))


def _sign_keyless(arguments: argparse.Namespace) -> None:
    """Without a key of one's own: nothing is kept but the bundle."""
    path: Path = arguments.trust_config or Pins.of_user().folder.parent / TRUST_CONFIG
    if arguments.trust_config is None and not path.exists():
        raise NoTrustRoot(f"expected --trust-config, or {path}; found neither")
    with canonical.within(path.name):
        config = TrustConfig.parse(path.read_bytes())
    output: Path = arguments.output_bundle
    ignored = (*arguments.ignore_paths, output.absolute())
    manifest = files.hash_model(existing(arguments.model_path), ignored=ignored)
    bundle = keyless.sign(
        manifest.payload(), config, token=arguments.identity_token, key=SoftwareKey.generate()
    )
    write_public(output, bundle)


def _verify(arguments: argparse.Namespace) -> None:
    _check_words(
        arguments,
        key=("public_key",),
        certificate=("cert_chain",),
        sigstore=("identity", "identity_provider"),
    )
    path: Path = arguments.bundle
    with path.open("rb") as file:
        data = file.read(MAX_BUNDLE_BYTES + 1)
    signed = _signed(arguments, data)
    files.check_model(
        arguments.model_path,
        signed,
        ignored=(*arguments.ignore_paths, path.absolute()),
        allows_unsigned=arguments.ignore_unsigned_files,
    )


def _signed(arguments: argparse.Namespace, data: bytes) -> ModelManifest:
    """What was signed, by the method that was named and no other."""
    if arguments.method == "key":
        key, document = _public_key(arguments.public_key), _read(arguments.bundle, data)
        return plain.verify_with_key(document, key).manifest
    if arguments.method == "certificate":
        anchors, now = certificates(arguments.cert_chain), datetime.now(UTC)
        document = _read(arguments.bundle, data)
        return plain.verify_with_certificate(document, anchors=anchors, now=now).manifest
    with canonical.within(arguments.bundle.name):
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


def _check_words(arguments: argparse.Namespace, **needed: tuple[str, ...]) -> None:
    """Refuse a method without what it needs."""
    for name in needed[arguments.method]:
        if not getattr(arguments, name):
            arguments.refuse_words(f"--method {arguments.method} needs --{name.replace('_', '-')}")


def _public_key(path: Path) -> ec.EllipticCurvePublicKey:
    try:
        key = load_pem_public_key(path.read_bytes())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyUnusable(f"{path.name}: expected a public key in PEM, found none") from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise KeyUnusable(f"{path.name}: expected a P-256, P-384 or P-521 key, found another")
    return key
