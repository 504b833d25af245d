# SPDX-License-Identifier: Apache-2.0
"""Killed at any system call between a request and its answer, the signer loses and forks nothing.

strace runs the real signer and kills it at the n-th call of a kind. What was answered must be in
the audit file and under the mark; the next life must start, agree, and go on.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assay.signing import merkle, scts, timestamps, treehead
from assay.signing.certificates import Chain, Purpose
from assay.signing.digests import sha256
from assay.signing.errors import SignerError
from assay.signing.signer import __main__
from assay.signing.signer.client import SignerClient
from assay.signing.signer.errors import AuditUnavailable, SignerUnavailable
from assay.signing.signer.protocol import CertifyRequest
from tests.needing import forbidden, require
from tests.signing.signer import rooting
from tests.signing.signer.worlds import (
    ALICE,
    PASSPHRASE,
    POLICY,
    START_SECONDS,
    TIMESTAMPS,
    Ledger,
    certified,
    in_thread,
    issue,
    output_statement,
    program,
    sign_output,
    wanted,
)
from tests.thorough import points, repeated

OUTPUTS = wanted(Purpose.OUTPUT, "alice")
# -D: strace stands behind the signer, which stays our own child and gets our signals.
# (Not --seccomp-bpf: with it strace 6.1 injects errors but no signals.)
WORDS = ("-D", "-f", "-qq", "-o", "/dev/null")


def _strace(*inject: str) -> tuple[str, ...]:
    require("strace")
    strace = str(shutil.which("strace"))
    probe = subprocess.run(
        [strace, *WORDS, "-e", "trace=none", "true"], capture_output=True, check=False
    )
    if probe.returncode:
        forbidden(f"strace may not trace here: {probe.stderr.decode().strip()}")
    injections = [word for each in inject for word in ("-e", f"inject={each}")]
    calls = {each.partition(":")[0] for each in inject}
    return (strace, *WORDS, "-e", f"trace={','.join(sorted(calls))}", *injections)


def _entries(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "audit.jsonl").read_bytes().splitlines()]


@contextmanager
def next_life(folder: Path) -> Iterator[SignerClient]:
    """The signer on what a crash left, its socket too: what the program does, in this process."""
    socket_path = folder.parent / "signer.sock"
    with in_thread(__main__.open_service(folder, passphrase=PASSPHRASE), socket_path):
        yield SignerClient(socket_path)


# Calls from the first request on: the signer syncs and renames nothing while it starts.
KILL_POINTS = [
    *(("fsync", number) for number in (1, 2, 3, 4)),
    ("/^rename", 1),
]


@pytest.mark.parametrize(("call", "number"), KILL_POINTS)
def test_a_kill_while_a_tree_head_is_signed(folder: Path, call: str, number: int) -> None:
    before = _strace(f"{call}:signal=KILL:when={number}")
    ledger = Ledger()
    ledger.append(b"0")
    answered: list[str] = []
    with program(folder, before=before) as running:
        try:
            for size in range(1, 6):
                proof = ledger.proof(size - 1, size)
                answered.append(running.client.sign_head(size, ledger.root(size), proof))
                ledger.append(b"%d" % size)
        except SignerUnavailable:
            pass
    assert len(answered) < 5  # the kill came
    with next_life(folder) as client:
        mark = client.describe().head
        # Whatever was answered is under the mark; the mark is at most one head ahead of it.
        assert len(answered) <= mark.size <= len(answered) + 1
        assert mark.root == ledger.root(mark.size)
        size = len(answered) + 1
        note = client.sign_head(size, ledger.root(size), ledger.proof(mark.size, size))
        assert treehead.parse(note).root == ledger.root(size)
    written = [entry["size"] for entry in _entries(folder) if entry["op"] == "sign_head"]
    assert set(range(1, size + 1)) <= set(written)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_kill_while_a_statement_is_signed(folder: Path, number: int) -> None:
    before = _strace(f"fsync:signal=KILL:when={number}")
    answered: list[bytes] = []
    with program(folder, before=before) as running:
        try:
            for text in ("one", "two", "three"):
                statement = output_statement(text)
                running.client.sign(Purpose.OUTPUT, ALICE, statement, POLICY)
                answered.append(statement)
        except SignerUnavailable:
            pass
    assert len(answered) < 3  # the kill came
    with next_life(folder) as client:
        signed = client.sign(Purpose.OUTPUT, ALICE, output_statement("after"), POLICY)
        signed.envelope.verify(signed.chain.public_key)
    written = {entry.get("statement_sha256") for entry in _entries(folder)}
    assert {sha256(statement) for statement in answered} <= written


@repeated
@pytest.mark.parametrize(
    ("call", "number"),
    [
        *(("fsync", number) for number in points(range(1, 31), few=6)),
        *(("/^rename", number) for number in points(range(1, 9), few=3)),
    ],
)
def test_a_kill_while_a_certificate_is_issued(bare_folder: Path, call: str, number: int) -> None:
    before = _strace(f"{call}:signal=KILL:when={number}")
    ledger, requests = Ledger(), [wanted(Purpose.TIMESTAMP, "timestamp"), OUTPUTS, OUTPUTS]
    announced: list[bytes] = []
    given: dict[str, Chain] = {}
    with program(bare_folder, before=before) as running:
        with suppress(SignerUnavailable):
            for request in requests:
                announced.append(running.client.precertify(request))
                certify = log(running.client, ledger, announced[-1])
                given[certify.precertificate_sha256] = running.client.certify(certify)
        assert len(given) < len(requests), "the kill came"
    with next_life(bare_folder) as client:
        # Whatever was announced can be certified, and whatever was certified is what it was.
        for each in announced:
            certify = log(client, ledger, each)
            chain = client.certify(certify)
            assert given.get(certify.precertificate_sha256, chain) == chain
        issue(client, ledger, *requests)
        signed = client.sign(Purpose.OUTPUT, ALICE, output_statement(), POLICY)
        signed.envelope.verify(signed.chain.public_key)


def log(client: SignerClient, ledger: Ledger, announced: bytes) -> CertifyRequest:
    """See that the ledger holds a precertificate; and what asks for its certificate."""
    entry = scts.ledger_entry(announced)
    if merkle.leaf_hash(entry) not in ledger.leaves:
        ledger.append(entry)
    size, mark = len(ledger.leaves), client.describe().head.size
    client.sign_head(size, ledger.root(size), ledger.proof(mark, size))
    return certified(announced, ledger, ledger.leaves.index(merkle.leaf_hash(entry)))


@repeated
@pytest.mark.parametrize(
    ("call", "number"),
    [
        *(("fsync", number) for number in points(range(1, 11), few=4)),
        *(("/^rename", number) for number in points(range(1, 5), few=2)),
    ],
)
def test_a_kill_while_an_intermediate_takes_its_turn(folder: Path, call: str, number: int) -> None:
    before = _strace(f"{call}:signal=KILL:when={number}")
    with program(folder, before=before) as running:
        try:
            for _ in range(3):
                csr = running.client.prepare_intermediate(Purpose.TIMESTAMP)
                running.client.install_intermediate(
                    rooting.certified(folder, csr, at=datetime.now(UTC))
                )
        except SignerUnavailable:
            pass
        assert running.process.wait(START_SECONDS) != 0  # the kill came
    with next_life(folder) as client:
        signed = sign_output(client, "after")
        root = client.describe().trust_root.root
        timestamps.verify(
            signed.timestamp, data=signed.envelope.signature, root=root, authority=TIMESTAMPS
        )
        csr = client.prepare_intermediate(Purpose.TIMESTAMP)
        client.install_intermediate(rooting.certified(folder, csr, at=datetime.now(UTC)))
        sign_output(client)


@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
def test_nothing_is_signed_while_the_audit_file_cannot_be_synced(folder: Path, error: str) -> None:
    ledger = Ledger()
    ledger.append(b"0", b"1")
    with program(folder, before=_strace(f"fsync:error={error}:when=1..2")) as running:
        for _ in range(2):
            with pytest.raises(AuditUnavailable, match="nothing was signed"):
                running.client.sign_head(1, ledger.root(1), ())
        assert running.client.describe().head.size == 0
        running.client.sign_head(1, ledger.root(1), ())
    assert [(entry["n"], entry["size"]) for entry in _entries(folder)] == [(1, 1)]


def test_a_mark_that_cannot_be_synced_signs_nothing_and_forks_nothing(folder: Path) -> None:
    ledger = Ledger()
    ledger.append(b"0", b"1", b"2")
    # 1 is the audit line, 2 the new mark, 3 its folder; then 4 and 5, 6 and 7 for the next two.
    with program(folder, before=_strace("fsync:error=EIO:when=3")) as running:
        with pytest.raises(SignerError) as caught:
            running.client.sign_head(2, ledger.root(2), ())
        assert caught.value.reason == "storage-unavailable"
        running.client.sign_head(3, ledger.root(3), ())
    with next_life(folder) as client:
        assert client.describe().head.size == 3
