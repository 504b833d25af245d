# SPDX-License-Identifier: Apache-2.0
"""What `bench/ledger.py` runs beside the registry that it started: it measures, and records."""
# ruff: noqa: E402 - models can be imported only once Django is set up

import statistics
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import django

django.setup()

from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from assay.signing import envelope, merkle
from assay.signing.certificates import Purpose
from assay.signing.merkle import Subtree
from assay.signing.signer.answers import Signed
from assay.signing.statements import DatasetClaim
from registry.ledger import queries, rebuilding, services
from tests.registry.catalog.world import FILES, build, by_person, publish
from tests.registry.people import invite
from tests.signing.world import World

RECORDERS, BATCH = 2, 1000
RECORD = "--record"
GOAL_PER_SECOND, GOAL_P99_SECONDS = 4000, 2.0
PROOFS, FILLED_AT_ONCE = 200, 1 << 18
LOOK_SECONDS = 0.001
FOLDER = Path(settings.DATA_DIR)
START = FOLDER / "start"


def main() -> None:
    """Three measurements on one registry."""
    entries, publishes, millions = sys.argv[1:4]
    durable_entries(int(entries) // RECORDERS)
    publishing(int(publishes))
    proofs(int(float(millions) * 1_000_000))


def durable_entries(share: int) -> None:
    """From signed statements to a signed tree head that includes them all."""
    recorders = [
        subprocess.Popen([sys.executable, __file__, RECORD, str(number * share), str(share)])
        for number in range(RECORDERS)
    ]
    while len(list(FOLDER.glob("ready-*"))) < RECORDERS:
        time.sleep(LOOK_SECONDS)  # the other process says it by a file
    began = time.perf_counter()
    START.touch()
    while any(recorder.poll() is None for recorder in recorders):
        services.integrate()
    services.integrate()
    seconds = time.perf_counter() - began
    if any(recorder.returncode for recorder in recorders):
        sys.exit("a recorder failed")
    head = rebuilding.rebuild()  # from the leaves: a gap, or a wrong hash, ends this
    included = queries.Entry.objects.filter(index__lt=head.size).count()
    print("recorded, integrated and signed by two programs; PostgreSQL with fsync")
    line(f"seconds for {head.size} entries", seconds)
    line(f"entries a second (goal: {GOAL_PER_SECOND})", head.size / seconds)
    line("gaps (goal: 0)", share * RECORDERS - included)


def record(first: int, count: int) -> None:
    """In a process of its own: sign, say so, wait for the start, then record in batches."""
    world = World.create(at=datetime.now(UTC).replace(microsecond=0))
    key, chain = world.leaf(Purpose.CHECKPOINT, f"{world.registry}/lab")
    signed: list[Signed] = []
    for number in range(first, first + count):
        claim = DatasetClaim(
            manifest_sha256=f"{number:064x}",
            name="lab/texts",
            title="Texts",
            source="a benchmark",
            license="CC0-1.0",
            files=1,
            bytes=number,
        )
        made = envelope.sign(claim.statement().canonical(), key)
        signed.append(Signed(envelope=made, chain=chain, timestamp=bytes(1500)))
    (FOLDER / f"ready-{first}").touch()
    while not START.exists():
        time.sleep(LOOK_SECONDS)  # the other process says it by a file
    for start in range(0, count, BATCH):
        services.record_all(signed[start : start + BATCH])


def publishing(count: int) -> None:
    """Checkpoints through the whole machine: signed, stamped, recorded, included, published."""
    world = build(invite(), FOLDER / "texts")
    seconds: list[float] = []
    for number in range(count):
        files = {**FILES, "number.txt": b"%d\n" % number}
        submission = by_person(world, name=f"checkpoint-{number}", files=files)
        began = time.perf_counter()
        checkpoint = publish(submission)
        seconds.append(time.perf_counter() - began)
        if checkpoint.state != "published":
            sys.exit(f"not published: {checkpoint.state}")
    print(f"\npublished with inclusion, {count} checkpoints one after the other; seconds")
    line("median", statistics.median(seconds))
    line(f"99 of 100 (goal: {GOAL_P99_SECONDS})", statistics.quantiles(seconds, n=100)[98])


def proofs(size: int) -> None:
    """What an inclusion proof reads, at sizes that each are ten times the one before."""
    began = time.perf_counter()
    fill(size)
    print(f"\ninclusion proofs, the most of {PROOFS} at each size; tree of {size} leaves")
    print(f"(which took {time.perf_counter() - began:.0f} s to fill)")
    print(f"  {'size':<14}{'queries':>9}{'hashes read':>13}{'in the proof':>14}{'median ms':>11}")
    at = 1000
    while at <= size:
        asked, read, found, seconds = zip(
            *(proof(number * at // PROOFS, at) for number in range(PROOFS)), strict=True
        )
        cells = f"{max(asked):>9}{max(read):>13}{max(found):>14}"
        print(f"  {at:<14}{cells}{statistics.median(seconds) * 1000:>11.2f}", flush=True)
        at *= 10


def proof(index: int, size: int) -> tuple[int, int, int, float]:
    """Queries and hashes read for one proof, the hashes in it, and the seconds; it verifies."""
    wanted: set[tuple[int, int]] = set()

    def prove(subtree: Subtree) -> tuple[bytes, ...]:
        return merkle.inclusion_proof(index, size, subtree)

    def count(level: int, position: int) -> bytes:
        wanted.add((level, position))
        return bytes(merkle.HASH_BYTES)

    prove(count)
    began = time.perf_counter()
    with CaptureQueriesContext(connection) as captured:
        found = queries.reading(prove)
    seconds = time.perf_counter() - began
    (leaf,) = queries.hashes(0, index, 1)
    merkle.verify_inclusion(leaf, index, size, found, queries.root(size))
    return len(captured), len(wanted), len(found), seconds


def fill(size: int) -> None:
    """Grow the stored hashes to those of a tree of `size` leaves, as the sequencer would."""
    start = queries.assigned_size()
    last: dict[int, bytes] = {}

    def known(level: int, position: int) -> bytes:
        return last[level] if level in last else queries.hashes(level, position, 1)[0]

    with closing(connection.cursor()) as cursor:
        cursor.execute("ALTER TABLE ledger_hash DROP CONSTRAINT ledger_hash_place")
        while start < size:
            end = min(start + FILLED_AT_ONCE, size)
            leaves = [merkle.leaf_hash(b"%d" % number) for number in range(start, end)]
            completed = merkle.new_subtrees(start, leaves, known)
            with cursor.copy("COPY ledger_hash (level, position, digest) FROM STDIN") as rows:
                for (level, position), digest in completed.items():
                    rows.write(f"{level}\t{position}\t\\\\x{digest.hex()}\n")
                    last[level] = digest
            start = end
        cursor.execute(
            "ALTER TABLE ledger_hash ADD CONSTRAINT ledger_hash_place UNIQUE (level, position)"
        )
        cursor.execute("ANALYZE ledger_hash")


def line(text: str, value: float) -> None:
    """One measured line."""
    shown = f"{value:12d}" if isinstance(value, int) else f"{value:12.2f}"
    print(f"  {text:<50}{shown}", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == RECORD:
        record(int(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
