# SPDX-License-Identifier: Apache-2.0
"""Durable entries a second: two programs record signed statements, a third integrates them.

In turns with the floor: the same bytes, by the same two programs, into tables of PostgreSQL that
have neither keys nor checks, committed as often. What lies between is the price of a ledger.
"""
# ruff: noqa: E402 - models can be imported only once Django is set up

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import django

django.setup()

from django.conf import settings
from django.db import connection, transaction
from measuring import CORES, head, line, median, processor_seconds

from assay.signing import envelope
from assay.signing.bundle import ledger_leaf
from assay.signing.certificates import Purpose
from assay.signing.signer.answers import Signed
from assay.signing.statements import DatasetClaim
from registry.ledger import queries, rebuilding, services
from tests.signing.world import World

RECORDERS, BATCH = 2, 1000
RECORD = "--record"
OURS, FLOOR = "ours", "floor"
GOAL_PER_SECOND = 4000
LOOK_SECONDS = 0.001
INTERVAL_SECONDS = 0.1  # between two looks of the sequencer, as a worker that is nudged has
FOLDER = Path(settings.DATA_DIR)
COLUMNS = ("payload", "signature", "leaf", "intermediate", "timestamp", "body")
FLOOR_TABLE = f"CREATE TABLE floor ({', '.join(f'{name} bytea' for name in COLUMNS)})"


def main(rounds: int, entries: int) -> None:
    """Both in turns, then medians, gaps and ratio."""
    share = entries // RECORDERS
    with connection.cursor() as cursor:
        cursor.execute(FLOOR_TABLE)
    recorders = [
        subprocess.Popen([sys.executable, __file__, RECORD, str(number), str(share), str(rounds)])
        for number in range(RECORDERS)
    ]
    head("entries, signed before, until they are durable", "a second", "µs of CPU", "idle cores")
    found: dict[str, list[tuple[float, float]]] = {OURS: [], FLOOR: []}
    for number in range(rounds):
        for name, work in ((OURS, services.integrate), (FLOOR, lambda: None)):
            found[name].append(timed(f"{name}-{number}", share, work))
            show(f"round {number + 1}, {name}", *found[name][-1])
    if any(recorder.wait() for recorder in recorders):
        sys.exit("a recorder failed")
    for name, pairs in found.items():
        rates, costs = zip(*pairs, strict=True)
        show(f"median of {rounds}, {name} (goal: {GOAL_PER_SECOND})", median(rates), median(costs))
    pairs = zip(found[OURS], found[FLOOR], strict=True)
    line("ratio, ours to floor", median([ours[0] / floor[0] for ours, floor in pairs]))
    check(rounds * share * RECORDERS)


def timed(name: str, share: int, work: Callable[[], object]) -> tuple[float, float]:
    """Entries a second, and the microseconds of processor time for each."""
    await_files(f"ready-{name}")
    busy, began = processor_seconds(), time.perf_counter()
    (FOLDER / f"start-{name}").touch()
    while len(list(FOLDER.glob(f"done-{name}-*"))) < RECORDERS:
        # As the product's sequencer: it is asked at intervals, and nothing else wakes it.
        time.sleep(INTERVAL_SECONDS if name.startswith(OURS) else LOOK_SECONDS)
        work()
    work()
    took, spent = time.perf_counter() - began, processor_seconds() - busy
    return share * RECORDERS / took, spent / (share * RECORDERS) * 1e6


def check(expected: int) -> None:
    """Every leaf is verified from its body: a gap, or a wrong hash, ends this."""
    tree = rebuilding.rebuild()
    included = queries.Entry.objects.filter(index__lt=tree.size).count()
    recorded = queries.Statement.objects.filter(entry__index__lt=tree.size).count()
    line("gaps (goal: 0)", tree.size - included)
    line("recorded and not included (goal: 0)", expected - recorded)


def record(number: int, share: int, rounds: int) -> None:
    """In a process of its own: sign, say so, wait for the start, then record in batches."""
    world = World.create(at=datetime.now(UTC).replace(microsecond=0))
    for turn in range(rounds):
        signed = sign(world, (turn * RECORDERS + number) * share, share)
        ours = [signed[start : start + BATCH] for start in range(0, share, BATCH)]
        floor = [list(map(columns, batch)) for batch in ours]
        for name, write, batches in ((OURS, services.record_all, ours), (FLOOR, copy, floor)):
            (FOLDER / f"ready-{name}-{turn}-{number}").touch()
            while not (FOLDER / f"start-{name}-{turn}").exists():
                time.sleep(LOOK_SECONDS)  # another process: nothing wakes us
            for batch in batches:
                write(batch)
            (FOLDER / f"done-{name}-{turn}-{number}").touch()


def sign(world: World, first: int, count: int) -> list[Signed]:
    """Claims as a registry signs them, each with a real timestamp's bytes."""
    key, chain = world.leaf(Purpose.CHECKPOINT, f"{world.registry}/lab")
    stamp = world.timestamp(bytes(32))
    made: list[Signed] = []
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
        signed = envelope.sign(claim.statement().canonical(), key)
        made.append(Signed(envelope=signed, chain=chain, timestamp=stamp))
    return made


def columns(one: Signed) -> tuple[bytes, ...]:
    """All that a statement and its entry hold, as bytes."""
    body = ledger_leaf(one.envelope, one.chain.leaf)
    payload, signature = one.envelope.payload, one.envelope.signature
    return (payload, signature, *one.chain.to_der(), one.timestamp, body)


def copy(batch: list[tuple[bytes, ...]]) -> None:
    """The same bytes, and nothing else."""
    statement = "COPY floor FROM STDIN (FORMAT BINARY)"
    with transaction.atomic(), connection.cursor() as cursor, cursor.copy(statement) as rows:
        rows.set_types(["bytea"] * len(COLUMNS))
        for row in batch:
            rows.write_row(row)


def await_files(prefix: str) -> None:
    """The other processes say it by files."""
    while len(list(FOLDER.glob(f"{prefix}-*"))) < RECORDERS:
        time.sleep(LOOK_SECONDS)  # other processes: nothing wakes us


def show(text: str, rate: float, cost: float) -> None:
    """A rate, what an entry costs, and what that means on idle cores."""
    line(text, rate, cost, CORES * 1e6 / cost)


if __name__ == "__main__":
    if sys.argv[1] == RECORD:
        record(*map(int, sys.argv[2:]))
    else:
        main(*map(int, sys.argv[1:]))
