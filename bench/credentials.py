# SPDX-License-Identifier: Apache-2.0
"""Measures C2PA manifests from a hash alone: ours with a timestamp, and the library's own ways.

`./run bench credentials [MANIFESTS [ROUNDS]]` has MANIFESTS manifests (200) made of digests, in
ROUNDS rounds (5), in turns: by ours, whose timestamp is put in afterwards; by the C2PA library,
which asks an address on this machine for the timestamp; and by the library without a timestamp.
Keys are in this process. It prints manifests a second of processor time and by the clock, medians,
and what the library says of one of ours. The goal: 500 a second as a library call.
"""

import io
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from c2pa import Context, Reader
from cryptography.hazmat.primitives.serialization import Encoding

from registry.outputs.credentials import library
from tests.signing.studio import CONTENT, Studio

GOAL = 500


def main() -> None:
    """Each way in turns, then the medians."""
    manifests = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    studio = Studio.open()
    definition, office = studio.definition(), studio.office()

    def ours(digest: str) -> None:
        library.sidecar(definition, sha256=digest, by=office)

    def asking(digest: str) -> None:
        with library.at_work(definition, office) as both:
            library.beside(*both, sha256=digest)

    def without_a_timestamp(digest: str) -> None:
        with library.working(definition, office) as both:
            library.beside(*both, sha256=digest)

    found: dict[str, list[tuple[float, float]]] = {}
    for number in range(rounds):
        for way in (ours, asking, without_a_timestamp):
            rates = _rates(way, manifests, number)
            found.setdefault(way.__name__.replace("_", " "), []).append(rates)
    print(f"{'manifests a second':<22}{'of processor time':>20}{'by the clock':>16}")
    for name, each in found.items():
        used, passed = (statistics.median(rates) for rates in zip(*each, strict=True))
        print(f"{name:<22}{used:20.0f}{passed:16.0f}")
    print(f"{'the goal':<22}{GOAL:20}")
    print(f"the library says of one of ours: {_said(studio)}")


def _rates(way: Callable[[str], None], manifests: int, number: int) -> tuple[float, float]:
    used, passed = time.process_time(), time.perf_counter()
    for each in range(manifests):
        way(f"{number * manifests + each:064x}")
    return (
        manifests / (time.process_time() - used),
        manifests / (time.perf_counter() - passed),
    )


def _said(studio: Studio) -> str:
    anchors = studio.world.trust.root.public_bytes(Encoding.PEM).decode()
    with (
        Context.from_dict({"trust": {"trust_anchors": anchors}}) as context,
        Reader(
            "image/png", io.BytesIO(CONTENT), manifest_data=studio.beside(), context=context
        ) as reader,
    ):
        return str(json.loads(reader.json())["validation_state"])


if __name__ == "__main__":
    main()
