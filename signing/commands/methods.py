# SPDX-License-Identifier: Apache-2.0
"""Which words go with each method of signing a model: what it needs, what it may have, no other.

A word that is passed over is a demand that nobody holds: who says `--identity` relies on it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..manifest import SIGNATURE_NAME
from ..values import dataclass

TRUSTED_ROOT = "sigstore-trusted-root.json"
METHODS = ("key", "certificate", "sigstore")


@dataclass(frozen=True, slots=True, kw_only=True)
class Takes:
    """The words of one method, as `argparse` calls them."""

    needed: tuple[str, ...]
    optional: tuple[str, ...] = ()


Table = Mapping[str, Takes]

SIGNING: Table = {
    "key": Takes(needed=("private_key",)),
    "certificate": Takes(needed=("private_key", "signing_cert"), optional=("cert_chain",)),
    "sigstore": Takes(needed=("identity_token_file",), optional=("trust_config",)),
}
# The conformance suite's adapter protocol has the token itself on the command line.
SUITE_SIGNING: Table = {
    **SIGNING,
    "sigstore": Takes(needed=("identity_token",), optional=("trust_config",)),
}
VERIFYING: Table = {
    "key": Takes(needed=("public_key",)),
    "certificate": Takes(needed=("cert_chain",)),
    "sigstore": Takes(needed=("identity", "identity_provider"), optional=("trusted_root",)),
}


def words_of(table: Table) -> tuple[str, ...]:
    """All words of all methods."""
    return tuple(
        dict.fromkeys(name for each in table.values() for name in (*each.needed, *each.optional))
    )


def check(arguments: argparse.Namespace, table: Table) -> None:
    """Refuse a method without what it needs, or with what is another's."""
    method: str = arguments.method
    own = table[method]
    for name in own.needed:
        if not getattr(arguments, name):
            arguments.refuse_words(f"--method {method} needs {word(name)}")
    others = (name for name in words_of(table) if name not in (*own.needed, *own.optional))
    refuse(arguments, others, why=f"does not go with --method {method}")


def refuse(arguments: argparse.Namespace, names: Iterable[str], *, why: str) -> None:
    """Refuse each of these words that was said, an empty one too."""
    for name in names:
        if getattr(arguments, name) not in (None, False, []):
            arguments.refuse_words(f"{word(name)} {why}")


def word(name: str) -> str:
    """As the command line has it."""
    return f"--{name.replace('_', '-')}"


def add_chain(parser: argparse.ArgumentParser, *, meaning: str) -> None:
    """The option for certificates, given in one or several files."""
    name = "--cert-chain"
    parser.add_argument(
        name, type=Path, metavar="FILE", nargs="+", action="extend", default=[], help=meaning
    )


def add_ignored(parser: argparse.ArgumentParser, *, meaning: str) -> None:
    """The option for files and folders that are no part of the model."""
    name = "--ignore-paths"
    parser.add_argument(
        name, type=Path, metavar="PATH", nargs="+", action="extend", default=[], help=meaning
    )


def add_trusted_root(parser: argparse.ArgumentParser) -> None:
    """The option that says whom to trust."""
    where = f"a trusted_root.json; else {TRUSTED_ROOT} in your configuration"
    parser.add_argument("--trusted-root", type=Path, metavar="FILE", help=where)


# What only a model that somebody signed is verified by, and what only a registry's.
OURS = ("bundle", *words_of(VERIFYING), "ignore_paths", "ignore_unsigned_files")
REGISTRYS = (
    *(
        "evidence",
        "proof",
        "checkpoint",
        "ignore",
        "signer",
        "signer_key",
        "policy",
        "crl",
        "ocsp",
        "as_of",
        "pack",
        "base",
        "acceptance",
        "c2pa_anchors",
        "excerpt",
        "fingerprint",
        "brief",
    ),
    "accept_unknown_revocation",
)


def add_verifying(parser: argparse.ArgumentParser) -> None:
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
        refuse(arguments, OURS, why="goes with --method")
        return
    refuse(arguments, REGISTRYS, why="is for what a registry signed")
    if len(arguments.paths) > 1:
        arguments.refuse_words(f"--method takes one PATH, found {len(arguments.paths)}")
    check(arguments, VERIFYING)
