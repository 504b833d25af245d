# SPDX-License-Identifier: Apache-2.0
"""Measures batches of outputs: digests a second, until the last one's proof has arrived.

`./run bench outputs [ROUNDS [OUTPUTS]]` starts a registry of its own, with its web server as
`./run up` starts it, and sends it ROUNDS (5) batches of OUTPUTS (100,000) new digests over HTTP.
The clock stops when the client has the last line; each answer's proofs are counted, and one of
them is verified. What is signed is durable (fsync), logged, and included in a signed tree head.
The goal: 20,000 outputs a second on two cores.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ledger import measure, registry


def main() -> None:
    """The measurement, in a process that has a registry to talk to."""
    words = argparse.ArgumentParser(prog="./run bench outputs", description=__doc__)
    words.add_argument("rounds", type=int, nargs="?", default=5)
    words.add_argument("outputs", type=int, nargs="?", default=100_000, help="in each batch")
    given = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as name, registry(Path(name)):
        measure("batches", given.rounds, given.outputs)


if __name__ == "__main__":
    main()
