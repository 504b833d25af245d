# SPDX-License-Identifier: Apache-2.0
"""Run the signer: `python -m assay.signing.signer --directory D --socket S --passphrase-file F`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ..errors import AssayError
from .audit import Audit
from .ceremony import AUDIT_FILE, HEAD_FILE, LOCK_FILE
from .highwater import HighWater
from .issuing import Issuing
from .keyring import read_passphrase
from .keystore import Keystore
from .process import die_with_parent, keep_memory_private, lock
from .server import check_private, listen, serve
from .service import SignerService


def main(argv: Sequence[str] | None = None) -> int:
    """Close this process off from others, then `run`."""
    arguments = parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    if arguments.die_with_parent:
        die_with_parent(os.getppid())
    keep_memory_private()
    return run(arguments)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    words = argparse.ArgumentParser(
        prog="python -m assay.signing.signer",
        description="The process that holds a registry's keys (docs/spec/signer.md).",
    )
    add = words.add_argument
    add("--directory", type=Path, required=True, help="the folder that the ceremony made")
    add("--socket", type=Path, required=True, help="the unix socket to answer on")
    add("--passphrase-file", type=Path, required=True, help="a file of mode 0600")
    add("--die-with-parent", action="store_true", help="stop when the starting process ends")
    return words


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; 0, or the exit code of what kept it from starting."""
    try:
        passphrase = read_passphrase(arguments.passphrase_file)
        service = open_service(arguments.directory, passphrase=passphrase)
        listener = listen(arguments.socket)
    except AssayError as error:
        sys.stderr.write(f"the signer does not start: {error.code}: {error}\n")
        return error.exit_code
    try:
        asyncio.run(_serve(service, listener))
    finally:
        arguments.socket.unlink(missing_ok=True)
    return 0


def open_service(folder: Path, *, passphrase: bytes) -> SignerService:
    """Everything read and checked: keys, the audit chain against the high-water mark."""
    check_private(folder)
    lock(folder / LOCK_FILE)
    keystore = Keystore.open(folder, passphrase=passphrase)
    high_water = HighWater.load(folder / HEAD_FILE)
    audit = Audit.open(folder / AUDIT_FILE, anchor=high_water.audit, at=_clock())
    issuing = Issuing(folder, keystore=keystore, passphrase=passphrase)
    issuing.prune(_clock())
    return SignerService(
        keystore, issuing=issuing, audit=audit, high_water=high_water, clock=_clock
    )


async def _serve(service: SignerService, listener: socket.socket) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await serve(service, listener=listener, uid=os.geteuid(), stopped=stopped)


def _clock() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    sys.exit(main())
