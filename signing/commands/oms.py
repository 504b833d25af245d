# SPDX-License-Identifier: Apache-2.0
"""`assay oms sign-model` and `verify-model`: the adapter that OMS conformance suites call.

The flags and the silence are theirs: the exit code is the answer, and a refusal is one line on
stderr. Keys may be of any mode, as suites write theirs; people sign with `assay sign`.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

from ..keys import SoftwareKey
from . import methods, models
from .errors import InputUnreadable
from .methods import METHODS, SUITE_SIGNING, VERIFYING, add_chain, add_ignored
from .sign import Signing, add_trust_config, trust_config, write, write_keyless

SIGN, VERIFY = "sign-model", "verify-model"


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
    says = "an OpenID provider's token, which says who signs"
    signer.add_argument("--identity-token", metavar="TOKEN", help=says)
    add_trust_config(signer)
    verifier.add_argument("--bundle", required=True, type=Path, metavar="FILE")
    methods.add_trust(verifier)


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
    methods.check(arguments, SUITE_SIGNING)
    signing = Signing(
        model=arguments.model_path,
        output=arguments.output_bundle,
        ignored=arguments.ignore_paths,
        certificate=arguments.signing_cert,
        chain=arguments.cert_chain,
    )
    if arguments.method == "sigstore":
        write_keyless(signing, trust_config(arguments.trust_config), token=arguments.identity_token)
        return
    path: Path = arguments.private_key
    key = SoftwareKey.parse(path.read_bytes(), None, name=path.name)
    write(signing, key, at=datetime.now(UTC))


def _verify(arguments: argparse.Namespace) -> None:
    methods.check(arguments, VERIFYING)
    models.check(arguments, arguments.model_path, arguments.bundle)
