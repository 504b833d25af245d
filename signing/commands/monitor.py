# SPDX-License-Identifier: Apache-2.0
"""`assay monitor`: follow a registry's ledger, and say so if it ever shows another history.

assay monitor URL --state FOLDER [--every SECONDS] [--log VKEY]
"""

from __future__ import annotations

import argparse
from http import HTTPStatus
from pathlib import Path
from time import sleep

from ..client import ClientError, LedgerClient
from ..client.attempts import is_passing
from ..errors import NoTrustRoot, Outcome
from ..monitor import Memory, follow
from ..treehead import Verifier
from .pins import Pins
from .terminal import Terminal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `assay monitor`."""
    add = parser.add_argument
    add("url", metavar="URL", help="the registry")
    add("--state", type=Path, required=True, metavar="FOLDER", help="what was verified so far")
    add("--every", type=int, metavar="SECONDS", help="go on for ever, and look so often")
    add("--log", metavar="VKEY", help="the ledger's key (default: of the registry you trust)")


def run(arguments: argparse.Namespace, *, terminal: Terminal, complaints: Terminal) -> int:
    """Follow once, or until something is wrong; a registry that is away or busy is waited for."""
    url = arguments.url.rstrip("/")
    memory = Memory(folder=arguments.state, ledger=_ledger(url, arguments.log))
    client = LedgerClient(f"{url}/ledger")
    while True:
        try:
            progress = follow(memory, client.checkpoint(), client.fetch)
        except ClientError as error:
            if arguments.every is None or not _is_waited_for(error):
                raise
            mark = complaints.mark(Outcome.NOT_REACHED)
            complaints.columns(f"{mark} ", str(error), indent=2)
        else:
            new = progress.now.size - progress.before.size
            terminal.line(f"{terminal.mark(Outcome.PASSED)} {progress.now.origin}")
            terminal.line(f"  {progress.now.size} entries, {new} of them new")
            terminal.line(f"  root {progress.now.root.hex()}")
        terminal.output.flush()
        if arguments.every is None:
            return 0
        sleep(arguments.every)


def _is_waited_for(error: ClientError) -> bool:
    """What says nothing about the ledger: the registry is away, busy, or itself not well."""
    status = error.status or 0
    return is_passing(error) or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _ledger(url: str, vkey: str | None) -> Verifier:
    if vkey is not None:
        return Verifier.parse(vkey)
    for pin in Pins.of_user().all():
        if pin.root.registry == url:
            return Verifier.parse(pin.root.verifier)
    raise NoTrustRoot(f"{url} is not trusted here: `assay trust add {url}`, or give --log")
