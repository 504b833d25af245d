# SPDX-License-Identifier: Apache-2.0
"""What an inclusion proof reads, at sizes that each are ten times the one before."""
# ruff: noqa: E402 - models can be imported only once Django is set up

import statistics
import sys
import time
from contextlib import closing

import django

django.setup()

from django.db import connection
from django.test.utils import CaptureQueriesContext

from assay.signing import merkle
from assay.signing.merkle import Subtree
from registry.ledger import queries

PROOFS, FILLED_AT_ONCE = 200, 1 << 18


def main(size: int) -> None:
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


if __name__ == "__main__":
    main(int(float(sys.argv[1]) * 1_000_000))
