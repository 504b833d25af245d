# SPDX-License-Identifier: Apache-2.0
"""A signer to test against: as a process of its own, or in a thread with a clock that is told."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from assay.signing import merkle, scts
from assay.signing.certificates import Chain, Purpose
from assay.signing.digests import sha256
from assay.signing.signer.answers import Signed
from assay.signing.signer.audit import Audit
from assay.signing.signer.ceremony import AUDIT_FILE, HEAD_FILE
from assay.signing.signer.client import SignerClient
from assay.signing.signer.highwater import HighWater
from assay.signing.signer.issuing import Issuing
from assay.signing.signer.keystore import Keystore
from assay.signing.signer.protocol import (
    RESPONDER,
    CertificateRequest,
    CertifyRequest,
    PrecertifyRequest,
)
from assay.signing.signer.server import Service, listen, serve
from assay.signing.signer.service import SignerService
from assay.signing.statements import Origin, OutputClaim
from tests.signing.trees import root_of
from tests.signing.world import conduct_reference
from tests.until import until

REGISTRY = "http://localhost:8000"
TIMESTAMPS = f"{REGISTRY}/timestamp"
ORIGIN = "localhost:8000/ledger"
ALICE = f"{REGISTRY}/alice"
PASSPHRASE = b"correct horse battery staple 7391"
POLICY = conduct_reference().sha256
BORN = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
START_SECONDS = 120.0


@dataclass(slots=True, kw_only=True)
class Clock:
    """A clock that stands where it is put."""

    now: datetime = BORN

    def __call__(self) -> datetime:
        return self.now


def open_service(folder: Path, clock: Clock) -> SignerService:
    """What the program opens, with a clock of ours."""
    high_water = HighWater.load(folder / HEAD_FILE)
    keystore = Keystore.open(folder, passphrase=PASSPHRASE)
    issuing = Issuing(folder, keystore=keystore, passphrase=PASSPHRASE)
    issuing.prune(clock())
    return SignerService(
        keystore,
        issuing=issuing,
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
        return merkle.consistency_proof(old, new, self._subtree)

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        return merkle.inclusion_proof(index, size, self._subtree)

    def _subtree(self, level: int, position: int) -> bytes:
        return self._subtrees[level, position]


def issue(client: SignerClient, ledger: Ledger, *wanted: PrecertifyRequest) -> list[Chain]:
    """Have these certified, all under one tree head of this ledger."""
    announced = [client.precertify(each) for each in wanted]
    start, mark = len(ledger.leaves), client.describe().head.size
    ledger.append(*(scts.ledger_entry(each) for each in announced))
    size = len(ledger.leaves)
    client.sign_head(size, ledger.root(size), ledger.proof(mark, size))
    return [
        client.certify(certified(each, ledger, start + number))
        for number, each in enumerate(announced)
    ]


def certified(announced: bytes, ledger: Ledger, index: int) -> CertifyRequest:
    """What asks for the certificate of a precertificate at this place of the ledger."""
    size = len(ledger.leaves)
    return CertifyRequest(
        precertificate_sha256=sha256(announced),
        index=index,
        size=size,
        hashes=ledger.inclusion(index, size),
    )


def wanted(
    purpose: Purpose, path: str, *, csr: bytes | None = None, conduct: str | None = POLICY
) -> PrecertifyRequest:
    """Asks for a certificate of `REGISTRY/path`; the registry's own offices accept no conduct."""
    is_responder = path.startswith(RESPONDER)
    is_office = purpose in {Purpose.CONDUCT, Purpose.TIMESTAMP} or is_responder
    return PrecertifyRequest(
        purpose=purpose,
        subject=path if is_responder else f"{REGISTRY}/{path}",
        csr=csr,
        conduct_sha256=None if is_office else conduct,
    )


def certify_beforehand(
    pristine: Path, opener: Callable[[Path], SignerService], *requests: PrecertifyRequest
) -> None:
    """Certificates in a signer's folder, by a ledger of their own: mark and audit file stay.

    Whoever is given a copy signs at once, and has a ledger that is empty.
    """
    with TemporaryDirectory(prefix="assay-") as place:
        folder = Path(shutil.copytree(pristine, Path(place) / "signer"))
        socket_path = Path(place) / "s.sock"
        with in_thread(opener(folder), socket_path):
            issue(SignerClient(socket_path), Ledger(), *requests)
        for name in (HEAD_FILE, AUDIT_FILE):
            shutil.copy2(pristine / name, folder / name)
        shutil.copytree(folder, pristine, dirs_exist_ok=True)


EVERYBODY = (
    wanted(Purpose.TIMESTAMP, "timestamp"),
    wanted(Purpose.CONDUCT, "conduct"),
    wanted(Purpose.OUTPUT, "alice"),
    wanted(Purpose.CHECKPOINT, "alice"),
    wanted(Purpose.OUTPUT, "bob"),
    wanted(Purpose.OUTPUT, f"{RESPONDER}output"),
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
            conduct=conduct_reference(),
            media_type="text/plain",
            request_commitment=None,
            generation=None,
        )
        .statement()
        .canonical()
    )


_ledgers: dict[Path, Ledger] = {}


def ledger_of(client: SignerClient) -> Ledger:
    """The ledger of the signer behind a socket, in which whatever a test wants is certified."""
    return _ledgers.setdefault(client._path, Ledger())


def sign_output(client: SignerClient, text: str = "def f():") -> Signed:
    """An output in Alice's name; whoever has to be is certified first."""
    for each in (wanted(Purpose.TIMESTAMP, "timestamp"), wanted(Purpose.OUTPUT, "alice")):
        see_to(client, each)
    return client.sign(Purpose.OUTPUT, ALICE, output_statement(text), POLICY)


def see_to(client: SignerClient, request: PrecertifyRequest) -> None:
    """Have a certificate issued, unless one signs already."""
    asked = CertificateRequest(
        purpose=request.purpose, subject=request.subject, conduct_sha256=request.conduct_sha256
    )
    if client.certificate(asked) is None:
        issue(client, ledger_of(client), request)
