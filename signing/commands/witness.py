# SPDX-License-Identifier: Apache-2.0
"""`assay witness`: cosign each head of a ledger that continues the one before (C2SP tlog-witness).

assay witness --name witness.example/w1 --key FILE --state FOLDER --log VKEY --listen HOST:PORT
"""

from __future__ import annotations

import argparse
import re
import signal
import threading
import time
from pathlib import Path
from types import FrameType

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ..cosignatures import Witness
from ..errors import KeyUnusable
from ..keys import Curve, SoftwareKey
from ..treehead import Verifier
from ..witness import Desk, Memory, serving
from .errors import InputUnreadable
from .terminal import Terminal, safe

LISTEN = "127.0.0.1:8099"
LARGEST_PORT = 65_535
_PLACE = re.compile(r"(?P<host>[^\s:/]+):(?P<port>[0-9]{1,5})")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `assay witness`."""
    add = parser.add_argument
    add("--name", required=True, help="the witness's name: an address of yours without scheme")
    add("--key", type=Path, required=True, metavar="FILE", help="its Ed25519 key; made if missing")
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
    host, port = _place(arguments.listen)
    key = _key(arguments.key)
    witness = Witness.parse(Witness(name=arguments.name, public_key=key.public_key()).text())
    desk = Desk(
        name=arguments.name,
        key=key,
        ledgers=ledgers,
        memory=Memory.open(arguments.state),
        clock=lambda: int(time.time()),
    )
    stopped = _on_signals()  # before anybody is told that we answer
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


def _on_signals() -> threading.Event:
    """Set by SIGTERM and SIGINT; the latter is ignored from birth in a shell's background."""
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        stopped.set()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, stop)
    return stopped


def _key(path: Path) -> Ed25519PrivateKey:
    try:
        if not path.exists():
            SoftwareKey.generate(Curve.ED25519).store(path, None)
        key = SoftwareKey.load(path, None).private
    except OSError as error:
        raise InputUnreadable(f"{path}: {error.strerror}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnusable(f"{path.name}: expected an Ed25519 key, found another")
    return key


def _place(text: str) -> tuple[str, int]:
    found = _PLACE.fullmatch(text)
    if found is None or int(found["port"]) > LARGEST_PORT:
        raise InputUnreadable(f"expected HOST:PORT, found {safe(text)[:80]}")
    return found["host"], int(found["port"])
