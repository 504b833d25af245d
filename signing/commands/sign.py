# SPDX-License-Identifier: Apache-2.0
"""`assay sign`: an output by a registry; a model with a key, a certificate or an identity (OMS).

assay sign FILE --checkpoint sha256:… [--key KEY] [--registry URL] [--media-type TYPE]
assay sign FILE --checkpoint sha256:… --key KEY --c2pa-chain FILE [--c2pa-key KEY]
assay sign FOLDER --method key --private-key FILE --output-bundle FILE
assay sign FOLDER --method certificate --private-key FILE --signing-cert FILE [--cert-chain FILE]
assay sign FOLDER --method sigstore --identity-token-file FILE [--trust-config FILE]

An identity token comes from a file or a pipe, never as a word of the command, which every program
on the machine could read.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from cryptography import x509

from .. import canonical
from ..client import keyless
from ..errors import NoTrustRoot
from ..keys import SoftwareKey
from ..oms import files, plain
from ..oms.manifest import ModelManifest
from ..paths import parse_pem
from ..sigstore.config import TrustConfig
from . import asserting, methods, own_key
from .callers import read_secret
from .errors import InputUnreadable, NoToken
from .methods import METHODS, SIGNING, add_chain, add_ignored
from .pins import Pins
from .public import Kind, check_place, write_over
from .terminal import Terminal

OUTPUTS = (
    "checkpoint",
    "registry",
    "media_type",
    "key",
    "c2pa_chain",
    "c2pa_key",
    "c2pa_tsa",
)  # words that are for these alone
TRUST_CONFIG = "sigstore-trust-config.json"
MAX_TOKEN_BYTES = 16 << 10  # docs/spec/sigstore.md
_TOKEN = re.compile(rf"[!-~]{{1,{MAX_TOKEN_BYTES}}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """What is to be signed, and where the signature goes."""

    model: Path
    output: Path
    ignored: Sequence[Path]
    certificate: Path | None
    """None for the method `key`."""
    chain: Sequence[Path]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `assay sign`."""
    parser.set_defaults(refuse_words=parser.error)
    add = parser.add_argument
    add("model", type=Path, metavar="PATH", help="an output; or a model: a folder, or a file")
    about = "have PATH signed as your word: an output of this checkpoint (only digests are sent)"
    add("--checkpoint", metavar="sha256:…", help=about)
    add("--registry", metavar="URL", help="by which one; else the one registry that you trust")
    add("--media-type", metavar="TYPE", help="of the output; else told by its name, or its bytes")
    add("--key", metavar=own_key.KEY, help="with it, your own key signs the output (P-256)")
    about = "with --key: put a C2PA manifest into PATH by this certificate (PEM, with its issuers')"
    add("--c2pa-chain", type=Path, metavar="FILE", help=about)
    add("--c2pa-key", metavar=own_key.KEY, help="of that certificate, where it is another key")
    add("--c2pa-tsa", metavar="URL", help="who says when (RFC 3161); else the registry")
    add("--method", choices=METHODS, help="for a model: what verifiers will trust")
    add("--private-key", type=Path, metavar="FILE", help="PEM, of mode 0600")
    add("--signing-cert", type=Path, metavar="FILE", help="the key's certificate (PEM)")
    add_chain(parser, meaning="certificates between yours and the root; may be repeated")
    says = "with an OpenID provider's token, which says who signs; - for standard input"
    add("--identity-token-file", type=Path, metavar="FILE", help=says)
    add_trust_config(parser)
    add("--output-bundle", type=Path, metavar="FILE", help="of a model: the signature to write")
    add_ignored(parser, meaning="leave these out, relative to FOLDER")


def add_trust_config(parser: argparse.ArgumentParser) -> None:
    """The option that says where one signs without a key of one's own."""
    where = f"a Sigstore client's trust config; else {TRUST_CONFIG} in your configuration"
    parser.add_argument("--trust-config", type=Path, metavar="FILE", help=where)


def run(arguments: argparse.Namespace, *, terminal: Terminal) -> int:
    """Sign, and say where the signature is."""
    if arguments.checkpoint is not None:
        return asserting.run(arguments, terminal=terminal)
    refuse: Callable[[str], NoReturn] = arguments.refuse_words
    if arguments.method is None or arguments.output_bundle is None:
        refuse("expected --checkpoint, or --method with --output-bundle")
    methods.refuse(arguments, OUTPUTS, why="goes with --checkpoint, for an output")
    methods.check(arguments, SIGNING)
    signing = Signing(
        model=arguments.model,
        output=arguments.output_bundle,
        ignored=arguments.ignore_paths,
        certificate=arguments.signing_cert,
        chain=arguments.cert_chain,
    )
    try:
        if arguments.method == "sigstore":
            token, config = _token(arguments.identity_token_file), arguments.trust_config
            count = write_keyless(signing, trust_config(config), token=token)
        else:
            key = SoftwareKey.load(arguments.private_key, None)
            count = write(signing, key, at=datetime.now(UTC))
    except OSError as error:
        raise InputUnreadable(f"{error.filename}: {error.strerror or error}") from error
    files_in_words = "1 file" if count == 1 else f"{count} files"
    terminal.columns("", f"Signed {files_in_words} of {signing.model}: {signing.output}", indent=0)
    return 0


def _is_signature(path: Path) -> bool:
    """Or an empty file: whoever signs again writes over the signature from before."""
    if not path.stat().st_size:
        return True
    with path.open("rb") as file:
        data = file.read(canonical.MAX_BYTES)
    try:
        found: object = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and "verificationMaterial" in found


SIGNATURE = Kind(name="a signature", word="--output-bundle", is_one=_is_signature)


def write(signing: Signing, key: SoftwareKey, *, at: datetime) -> int:
    """Sign and write the bundle, whole or not at all; how many files were signed. OSError."""
    manifest = _manifest(signing)
    if signing.certificate is None:
        document = plain.sign_with_key(manifest, key)
    else:
        leaf, *others = certificates([signing.certificate, *signing.chain])
        document = plain.sign_with_certificate(manifest, key, leaf=leaf, chain=others, at=at)
    write_over(signing.output, canonical.dumps(document.to_json()), SIGNATURE)
    return len(manifest.digests)


def write_keyless(signing: Signing, config: TrustConfig, *, token: str) -> int:
    """The same without a key of one's own, of which nothing is kept but the bundle."""
    manifest = _manifest(signing)
    payload, key = manifest.payload(), SoftwareKey.generate()
    write_over(signing.output, keyless.sign(payload, config, token=token, key=key), SIGNATURE)
    return len(manifest.digests)


def trust_config(named: Path | None) -> TrustConfig:
    """Where to sign without a key; NoTrustRoot if nobody said. OSError."""
    path = named or Pins.of_user().folder.parent / TRUST_CONFIG
    if named is None and not path.exists():
        raise NoTrustRoot(f"expected --trust-config, or {path}; found neither")
    with canonical.within(path.name):
        return TrustConfig.parse(path.read_bytes())


def _token(file: Path) -> str:
    """The token in a file; of what is none, no message says more than its length."""
    found = read_secret(file, max_bytes=MAX_TOKEN_BYTES + 2).strip()  # and a line's end
    if not _TOKEN.fullmatch(found):
        expected = f"an identity token of at most {MAX_TOKEN_BYTES} characters"
        what = f"{len(found)} characters that are none" if found else "nothing"
        raise NoToken(f"{file}: expected {expected}, found {what}")
    return found


def _manifest(signing: Signing) -> ModelManifest:
    """Of what is to be signed; raises DestinationTaken before anything of it is read."""
    check_place(signing.output, SIGNATURE)
    ignored = (*signing.ignored, signing.output.absolute())
    return files.hash_model(existing(signing.model), ignored=ignored)


def existing(model: Path) -> Path:
    """The model's path; InputUnreadable if there is nothing."""
    if not model.exists():
        raise InputUnreadable(f"{model}: expected a model, found no such file or folder")
    return model


def certificates(paths: Sequence[Path]) -> list[x509.Certificate]:
    """The certificates of PEM files, in the order of the files. OSError."""
    return [each for path in paths for each in parse_pem(path.name, path.read_bytes())]
