# SPDX-License-Identifier: Apache-2.0
"""Which words go with each method of signing a model: what it needs, what it may have, no other.

A word that is passed over is a demand that nobody holds: who says `--identity` relies on it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

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
