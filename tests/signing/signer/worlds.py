# SPDX-License-Identifier: Apache-2.0
"""A signer to test against: as a process of its own, or in a thread with a clock that is told."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from assay.signing import merkle
from assay.signing.signer.audit import Audit
from assay.signing.signer.ceremony import AUDIT_FILE, HEAD_FILE
from assay.signing.signer.client import SignerClient
from assay.signing.signer.highwater import HighWater
from assay.signing.signer.keystore import Keystore
from assay.signing.signer.server import Service, listen, serve
from assay.signing.signer.service import SignerService
from assay.signing.statements import ConductReference, Origin, OutputClaim
from tests.signing.trees import root_of
from tests.until import until

REGISTRY = "http://localhost:8000"
ORIGIN = "localhost:8000/ledger"
ALICE = f"{REGISTRY}/alice"
PASSPHRASE = b"correct horse battery staple 7391"
BORN = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
START_SECONDS = 20.0


@dataclass(slots=True, kw_only=True)
class Clock:
    """A clock that stands where it is put."""

    now: datetime = BORN

    def __call__(self) -> datetime:
        return self.now


def open_service(folder: Path, clock: Clock) -> SignerService:
    """What the program opens, with a clock of ours."""
    high_water = HighWater.load(folder / HEAD_FILE)
    return SignerService(
        Keystore.open(folder, passphrase=PASSPHRASE),
        audit=Audit.open(folder / AUDIT_FILE, anchor=high_water.audit, at=clock()),
        high_water=high_water,
        clock=clock,
    )


@contextmanager
def in_thread(service: Service, socket_path: Path, *, uid: int | None = None) -> Iterator[None]:
    """The server on a real socket, in a thread of this process."""
    listener = listen(socket_path)
    loop = asyncio.new_event_loop()
    stopped = asyncio.Event()
    caller = os.geteuid() if uid is None else uid
    thread = threading.Thread(
        target=loop.run_until_complete,
        args=(serve(service, listener=listener, uid=caller, stopped=stopped),),
    )
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join(START_SECONDS)
        loop.close()
        socket_path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The signer as the supervisor starts it."""

    process: subprocess.Popen[bytes]
    client: SignerClient
    log: Path

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(START_SECONDS)


def command(folder: Path, socket_path: Path, passphrase_file: Path) -> list[str]:
    """The signer's command line."""
    return [
        *(sys.executable, "-m", "assay.signing.signer"),
        *("--directory", str(folder)),
        *("--socket", str(socket_path)),
        *("--passphrase-file", str(passphrase_file)),
    ]


@contextmanager
def program(
    folder: Path, *, before: Sequence[str] = (), more: Sequence[str] = ()
) -> Iterator[Program]:
    """A running signer process; `before` is a program that runs it, such as strace."""
    place = folder.parent
    passphrase_file = place / "passphrase"
    passphrase_file.touch(mode=0o600)
    passphrase_file.write_bytes(PASSPHRASE + b"\n")
    socket_path = place / "signer.sock"
    log = place / "signer.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*before, *command(folder, socket_path, passphrase_file), *more],
            stdout=output,
            stderr=output,
            # No .pyc is written: its mkdir and rename would be counted by a tracer.
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )
    try:
        running = Program(process=process, client=SignerClient(socket_path), log=log)
        _await_start(running, socket_path)
        yield running
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def _await_start(running: Program, socket_path: Path) -> None:
    before = running.log.read_bytes().count(b"listening")

    def is_listening() -> bool:
        assert running.process.poll() is None, running.log.read_text()
        return running.log.read_bytes().count(b"listening") > before

    until(is_listening)


class Ledger:
    """A small tree in memory, to ask the signer about."""

    def __init__(self) -> None:
        self.leaves: list[bytes] = []
        self._subtrees: dict[tuple[int, int], bytes] = {}

    def append(self, *entries: bytes) -> None:
        hashes = [merkle.leaf_hash(entry) for entry in entries]
        self._subtrees.update(
            merkle.new_subtrees(
                len(self.leaves), hashes, lambda level, position: self._subtrees[level, position]
            )
        )
        self.leaves += hashes

    def root(self, size: int) -> bytes:
        return root_of(self.leaves[:size])

    def proof(self, old: int, new: int) -> tuple[bytes, ...]:
        return merkle.consistency_proof(
            old, new, lambda level, position: self._subtrees[level, position]
        )


def output_statement(text: str = "def f():") -> bytes:
    """A statement that the purpose `output` may sign."""
    return (
        OutputClaim(
            exact_sha256="11" * 32,
            normalised_sha256="22" * 32,
            output=text,
            claim=Origin.SERVER_GENERATED,
            checkpoint_sha256="33" * 32,
            checkpoint_statement_sha256="44" * 32,
            conduct=ConductReference(id="community", version="1.0", sha256="55" * 32),
            media_type="text/plain",
            request_commitment=None,
            generation=None,
        )
        .statement()
        .canonical()
    )
