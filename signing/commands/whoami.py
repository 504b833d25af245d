# SPDX-License-Identifier: Apache-2.0
"""`assay whoami`: whose token is at hand for a registry, what it may, and what is stored.

assay whoami [URL] [--json]
"""

from __future__ import annotations

import argparse
import json
import os

from ..client import RegistryClient, address
from ..client.whoami import Use, WhoAmI
from .callers import VARIABLE, secret_demanded
from .logins import registry_meant
from .terminal import Terminal, size_in_words

LABEL_COLUMNS = 11


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `assay whoami`."""
    add_url(parser)
    parser.add_argument("--json", action="store_true", help="for programs: one JSON document")


def add_url(parser: argparse.ArgumentParser) -> None:
    """The registry whose token is meant."""
    said = "the registry; else the one that you trust, or are logged in to"
    parser.add_argument("url", nargs="?", metavar="URL", help=said)


def url_of(arguments: argparse.Namespace) -> str:
    """Its address; raises UnknownPin or NoTrustRoot where none is named."""
    return address(arguments.url or registry_meant())


def run(arguments: argparse.Namespace, *, terminal: Terminal) -> int:
    """Ask the registry, and say what it answers; raises NotLoggedIn, ClientError."""
    url = url_of(arguments)
    with RegistryClient(url, secret_demanded(url)) as client:
        found = WhoAmI.ask(client)
    source = VARIABLE if os.environ.get(VARIABLE) else "assay login"
    if arguments.json:
        document = {"registry": url, "source": source, **found.to_json()}
        terminal.line(json.dumps(document, indent=2))
    else:
        _print(found, url, source, terminal)
    return 0


def acts_as(found: WhoAmI) -> str:
    """In whose name it acts, and what it may."""
    may = f"with scope {', '.join(found.scopes)}"
    return f"{found.actor} {may}{f', for {found.project} alone' if found.project else ''}"


def until(found: WhoAmI) -> str:
    """Until when."""
    if found.expires_at is None:
        return "with no end that the registry says"
    return f"until {found.expires_at:%Y-%m-%d %H:%M} UTC"


def _print(found: WhoAmI, url: str, source: str, terminal: Terminal) -> None:
    rows = [
        ("registry", url),
        ("you are", found.actor),
        ("scope", ", ".join(found.scopes)),
        ("project", found.project or "any that you may see"),
        ("token", f"{until(found)}; from {source}"),
        *(("stored", _stored(use)) for use in found.storage),
    ]
    for label, text in rows:
        terminal.columns(label, text, indent=LABEL_COLUMNS)


def _stored(use: Use) -> str:
    used, allowed = size_in_words(use.used_bytes), size_in_words(use.allowed_bytes)
    return f"{used} of {allowed} in the name {use.name}"
