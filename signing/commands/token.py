# SPDX-License-Identifier: Apache-2.0
"""`assay token`: the token at hand for a registry, for programs that take one from their caller.

assay token [URL]

    export HF_TOKEN=$(assay token)
"""

from __future__ import annotations

import argparse

from .callers import secret_demanded
from .terminal import Terminal
from .whoami import add_url, url_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `assay token`."""
    add_url(parser)


def run(arguments: argparse.Namespace, *, terminal: Terminal) -> int:
    """Print it, and nothing else; raises NotLoggedIn, NoToken, AddressNotPrivate."""
    terminal.line(secret_demanded(url_of(arguments)))
    return 0
