# SPDX-License-Identifier: Apache-2.0
"""`assay login`, `assay logout`: keep a token for a registry on this machine, and forget it.

assay login [URL] [--token-file FILE] [--json]
assay logout [URL] [--revoke] [--json]

A token is made on a page of the registry, /settings/tokens. It is typed unseen, or comes from a
file or a pipe; never as a word of the command, which every program on the machine could read.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
from http import HTTPStatus
from pathlib import Path

from ..client import ClientError, RegistryClient, address
from ..client.whoami import WhoAmI
from .callers import STDIN, VARIABLE, check_private, read_secret, token_in
from .errors import NotLoggedIn
from .logins import Login, Logins
from .pins import Pins, only_registry
from .terminal import Terminal, safe
from .whoami import acts_as, add_url, until, url_of

MAX_TOKEN_BYTES = 4096


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `assay login`."""
    parser.add_argument(
        "url", nargs="?", metavar="URL", help="the registry; else the one that you trust"
    )
    parser.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help="a file with the token, - for a pipe; else it is asked for, or read from a pipe",
    )
    parser.add_argument("--json", action="store_true", help="for programs: one JSON document")


def add_logout_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `assay logout`."""
    add_url(parser)
    parser.add_argument(
        "--revoke",
        action="store_true",
        help="have the registry end the token too, wherever else it is",
    )
    parser.add_argument("--json", action="store_true", help="for programs: one JSON document")


def login(arguments: argparse.Namespace, *, terminal: Terminal) -> int:
    """Ask the registry whose the token is, and only then keep it; raises AssayError."""
    url = address(arguments.url or only_registry(Pins.of_user().all(), word="a URL"))
    check_private(url)
    secret = _read(arguments, url, terminal)
    with RegistryClient(url, secret) as client:
        found = WhoAmI.ask(client)
    path = Logins.of_user().keep(Login(registry=url, secret=secret))
    if arguments.json:
        document = {"registry": url, "kept_in": str(path), **found.to_json()}
        terminal.line(json.dumps(document, indent=2))
        return 0
    terminal.columns("", f"Logged in to {url} as {acts_as(found)}, {until(found)}.", indent=0)
    terminal.line(f"  {safe(str(path))}")
    _warn_of_variable(terminal)
    return 0


def logout(arguments: argparse.Namespace, *, terminal: Terminal) -> int:
    """Forget the token that is kept; raises NotLoggedIn where none is."""
    url, logins = url_of(arguments), Logins.of_user()
    said = f"It still opens {url} for whoever else has it: its end is on {url}/settings/tokens."
    if arguments.revoke:
        _revoke(url, logins)
        said = "The registry ended it, wherever else it is."
    if not logins.forget(url):
        raise NotLoggedIn(f"expected a token that is kept for {url}, found none")
    if arguments.json:
        terminal.line(json.dumps({"registry": url, "revoked": arguments.revoke}, indent=2))
        return 0
    terminal.columns("", f"Logged out of {url}: the token is forgotten here. {said}", indent=0)
    _warn_of_variable(terminal)
    return 0


def _revoke(url: str, logins: Logins) -> None:
    """A token may end itself; one that opens nothing any more has been ended already."""
    kept = logins.find(url)
    if kept is None:
        return
    check_private(url)
    with RegistryClient(url, token_in(kept.secret, source="the kept login")) as client:
        try:
            found = WhoAmI.ask(client)
            client.delete(f"/api/v1/tokens/{found.token}")
        except ClientError as error:
            if error.status != HTTPStatus.UNAUTHORIZED:
                raise


def _warn_of_variable(terminal: Terminal) -> None:
    if os.environ.get(VARIABLE):
        terminal.columns("", f"{VARIABLE} is set, and goes before any token kept here.", indent=0)


def _read(arguments: argparse.Namespace, url: str, terminal: Terminal) -> str:
    """The token, from where it is; raises NoToken."""
    file: Path | None = arguments.token_file
    if file is not None:
        return token_in(read_secret(file, max_bytes=MAX_TOKEN_BYTES), source=str(file))
    if not sys.stdin.isatty():
        return token_in(read_secret(STDIN, max_bytes=MAX_TOKEN_BYTES), source="standard input")
    if not arguments.json:
        terminal.columns(
            "", f"A token is made on {url}/settings/tokens; it is not shown here.", indent=0
        )
    try:
        typed = getpass.getpass("Token: ")
    except EOFError:
        typed = ""
    return token_in(typed, source="what was typed")
