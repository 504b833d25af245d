# SPDX-License-Identifier: Apache-2.0
"""What a proof reads as it is served, under a policy, at sizes ten times the one before.

The third witness never answered.
"""
# ruff: noqa: E402 - models can be imported only once Django is set up

import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import django

django.setup()

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from assay.signing import merkle, treehead
from assay.signing.cosignatures import Witness
from assay.signing.keys import Curve, SoftwareKey
from assay.signing.treehead import TreeHead as Head
from registry.ledger import queries, stored
from registry.ledger.models import Cosignature, TreeHead

PROOFS, FILLED_AT_ONCE, BATCH = 200, 1 << 18, 5_000
MAX_HEADS = 300_000  # a registry that signs one every ten seconds makes these in five weeks
KEY, ORIGIN = SoftwareKey.generate(Curve.ED25519), "bench.test/ledger"
VERIFIER = treehead.vkey(ORIGIN, KEY.public_key)
WITNESSES = [
    Witness(name=f"w{number}.test", public_key=Ed25519PrivateKey.generate().public_key())
    for number in range(3)
]
NAMED = "".join(f"witness w{number} {each.text()}\n" for number, each in enumerate(WITNESSES))
POLICY = f"log {VERIFIER}\n{NAMED}group two 2 w0 w1 w2\nquorum two\n"
LINES = f"— {WITNESSES[0].name} {'A' * 104}\n"  # as long as one of Ed25519


def main(size: int) -> None:
    """What a proof reads, at sizes that each are ten times the one before."""
    began = time.perf_counter()
    fill(size)
    print(f"\nproofs as they are served, the most of {PROOFS} at each size; tree of {size} leaves")
    print(f"(which took {time.perf_counter() - began:.0f} s to fill); two of three witnesses are a")
    print("quorum, and the second was away for half of the time between two sizes")
    print(f"  {'size':<12}{'heads':>9}{'queries':>9}{'hashes':>9}{'median ms':>11}{'most ms':>9}")
    at, made = 1000, 0
    with tempfile.NamedTemporaryFile(suffix=".policy") as policy:
        settings.LEDGER_POLICY = policy.name
        Path(policy.name).write_text(POLICY, encoding="ascii")
        while at <= size:
            witness(made, at, step=max(1, size // MAX_HEADS))
            made, places = at, [number * at // PROOFS for number in range(PROOFS)]
            asked, found, seconds = zip(*(proof(index) for index in places), strict=True)
            cells = f"{TreeHead.objects.count():>9}{max(asked):>9}{max(found):>9}"
            median, most = (1000 * each for each in (statistics.median(seconds), max(seconds)))
            print(f"  {at:<12}{cells}{median:>11.2f}{most:>9.2f}", flush=True)
            at *= 10


def proof(index: int) -> tuple[int, int, float]:
    """The queries for one proof, the hashes in it, and the seconds; it verifies."""
    began = time.perf_counter()
    with CaptureQueriesContext(connection) as captured:
        found = queries.proof(index)
    seconds = time.perf_counter() - began
    (leaf,) = stored.hashes(0, index, 1)
    merkle.verify_inclusion(leaf, index, found.size, found.hashes, queries.root(found.size))
    return len(captured), len(found.hashes), seconds


def witness(start: int, end: int, step: int) -> None:
    """Heads of the tree as it grew from `start` to `end`, and who cosigned each.

    They are rows like a registry's, but for roots, which a proof does not read, and the lines.
    """
    sizes = [*range(start + 1, end, step), end]
    heads = TreeHead.objects.bulk_create(
        [
            TreeHead(
                size=size,
                root=bytes(merkle.HASH_BYTES),
                note=treehead.sign(Head(origin=ORIGIN, size=size, root=bytes(32)), KEY),
                verifier=VERIFIER,
            )
            for size in sizes
        ],
        batch_size=BATCH,
    )
    cosigned = [
        Cosignature(head=head, size=head.size, witness=each.text(), lines=LINES)
        for number, head in enumerate(heads)
        for each in (WITNESSES if 2 * number > len(heads) else WITNESSES[:1])
        if each is not WITNESSES[2]
    ]
    Cosignature.objects.bulk_create(cosigned, batch_size=BATCH)
    with closing(connection.cursor()) as cursor:
        cursor.execute("ANALYZE ledger_treehead, ledger_cosignature")


def fill(size: int) -> None:
    """Grow the stored hashes to those of a tree of `size` leaves, as the sequencer would."""
    start = queries.assigned_size()
    last: dict[int, bytes] = {}

    def known(level: int, position: int) -> bytes:
        return last[level] if level in last else stored.hashes(level, position, 1)[0]

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
