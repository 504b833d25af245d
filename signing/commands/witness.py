# SPDX-License-Identifier: Apache-2.0
"""`assay witness`: cosign each head of a ledger that continues the one before (C2SP tlog-witness).

assay witness --name witness.example/w1 --key FILE --state FOLDER --log VKEY --listen HOST:PORT
assay witness … --algorithm ml-dsa-44
"""

from __future__ import annotations

import argparse
import re
import signal
import threading
import time
from pathlib import Path
from types import FrameType

from ..cosignatures import Witness, WitnessKey
from ..treehead import Verifier
from ..witness import Algorithm, Desk, Memory, kept, serving
from .errors import InputUnreadable
from .terminal import Terminal, safe

LISTEN = "127.0.0.1:8099"
LARGEST_PORT = 65_535
_PLACE = re.compile(r"(?P<host>[^\s:/]+):(?P<port>[0-9]{1,5})")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `assay witness`."""
    add = parser.add_argument
    add("--name", required=True, help="the witness's name: an address of yours without scheme")
    add("--key", type=Path, required=True, metavar="FILE", help="its key; made if missing")
    add(
        "--algorithm",
        choices=[*Algorithm],
        type=Algorithm,
        help="what a new key is for (default: ed25519); a key that is there must be for it",
    )
    add("--state", type=Path, required=True, metavar="FOLDER", help="what it saw; never lose it")
    add(
        "--log",
        action="append",
        required=True,
        metavar="VKEY",
        help="the key of a ledger to watch; may be repeated",
    )
    add("--listen", default=LISTEN, metavar="HOST:PORT", help=f"where to answer ({LISTEN})")


def run(arguments: argparse.Namespace, *, terminal: Terminal) -> int:
    """Answer until the program is stopped, which loses nothing at any moment."""
    ledgers = tuple(Verifier.parse(vkey) for vkey in arguments.log)
    host, port = place(arguments.listen)
    key = _key(arguments.key, arguments.algorithm)
    witness = Witness.parse(Witness(name=arguments.name, public_key=key.public_key()).text())
    desk = Desk(
        name=arguments.name,
        key=key,
        ledgers=ledgers,
        memory=Memory.open(arguments.state),
        clock=lambda: int(time.time()),
    )
    stopped = on_signals()  # before anybody is told that we answer
    try:
        with serving(desk, host, port) as url:
            terminal.line(f"witness  {witness.text()}")
            terminal.line(f"answers  {url}/add-checkpoint")
            terminal.output.flush()
            stopped.wait()
    except OSError as error:
        message = f"nobody can listen on {safe(arguments.listen)}: {error.strerror}"
        raise InputUnreadable(message) from error
    return 0


def on_signals() -> threading.Event:
    """Set by SIGTERM and SIGINT; the latter is ignored from birth in a shell's background."""
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        stopped.set()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, stop)
    return stopped


def _key(path: Path, algorithm: Algorithm | None) -> WitnessKey:
    try:
        return kept(path, algorithm)
    except OSError as error:
        raise InputUnreadable(f"{path}: {error.strerror}") from error


def place(text: str) -> tuple[str, int]:
    """Host and port of an address to listen on; raises InputUnreadable."""
    found = _PLACE.fullmatch(text)
    if found is None or int(found["port"]) > LARGEST_PORT:
        raise InputUnreadable(f"expected HOST:PORT, found {safe(text)[:80]}")
    return found["host"], int(found["port"])
