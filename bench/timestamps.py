# SPDX-License-Identifier: Apache-2.0
"""Measures timestamps: tokens per second on one core, ours beside asn1crypto's, in turns.

`./run bench timestamps [ROUNDS [SECONDS]]` answers the same request with both writers for SECONDS
each (2), ROUNDS times (7), and ends with the medians of processor time and their ratio. The key is
a P-256 key in memory. The goal: 1,000 tokens a second, the request read and the token signed.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from assay.signing import timestamps
from assay.signing.certificates import Purpose
from tests.signing import reference
from tests.signing.world import World

SERIAL = (1 << 127) + 1
NONCE = 1 << 63
BATCH = 20
GOAL_PER_SECOND = 1000


def main() -> None:
    """Both writers in turns, then the medians."""
    words = argparse.ArgumentParser(prog="./run bench timestamps", description=__doc__)
    words.add_argument("rounds", type=int, nargs="?", default=7)
    words.add_argument("seconds", type=float, nargs="?", default=2.0, help="for each writer")
    given = words.parse_args()
    writers = writers_of(datetime.now(UTC).replace(microsecond=0))
    found: dict[str, list[float]] = {name: [] for name in writers}
    for number in range(given.rounds):
        for name, answer in writers.items():
            found[name].append(per_second(answer, given.seconds))
        line(f"round {number + 1}", *(values[-1] for values in found.values()))
    ours, theirs = (statistics.median(values) for values in found.values())
    print(f"\nmedians of {given.rounds} rounds (goal: {GOAL_PER_SECOND} by ours)")
    line("tokens a second: ours, asn1crypto's", ours, theirs)
    print(f"  ratio {ours / theirs:.1f}")


def writers_of(at: datetime) -> dict[str, Callable[[], bytes]]:
    """Each reads the same request and answers with certificates and nonce."""
    world = World.create(at=at)
    key, chain = world.leaf(Purpose.TIMESTAMP, f"{world.registry}/timestamp")
    asked = reference.Asked(
        algorithm="sha256", digest=bytes(32), nonce=NONCE, wants_certificates=True
    )
    query = reference.query(asked)

    def ours() -> bytes:
        return timestamps.respond(query, key=key, chain=chain, at=at, serial=SERIAL)

    def theirs() -> bytes:
        read = reference.read_query(query)
        return reference.answer(read, key=key, chain=chain, at=at, serial=SERIAL)

    if len(ours()) - len(theirs()) not in range(-4, 5):  # an ECDSA signature varies in length
        sys.exit("the two writers do not write the same")
    return {"ours": ours, "asn1crypto": theirs}


def per_second(answer: Callable[[], bytes], seconds: float) -> float:
    """Answers per second of this process's own processor time, whatever else the machine does."""
    began = time.process_time()
    count = 0
    while (taken := time.process_time() - began) < seconds:
        for _ in range(BATCH):
            answer()
        count += BATCH
    return count / taken


def line(text: str, *rates: float) -> None:
    """One measured line."""
    print(f"  {text:<40}" + "".join(f"{rate:10.0f}" for rate in rates), flush=True)


if __name__ == "__main__":
    main()
