# SPDX-License-Identifier: Apache-2.0
"""Measures signed digests a second, and batches of outputs until the last proof has arrived.

`./run bench outputs [ROUNDS [OUTPUTS [REQUESTS]]]` starts a registry for each part, with its web
server as `./run up` starts it. ROUNDS times (5) it has REQUESTS digests (4,000) signed over 64
connections, in turns with the same requests through Django, one at a time, and twice more: at half
of the rate that was found, and of the goal. P-256 signatures alone are made once. Then it sends
ROUNDS batches of OUTPUTS (100,000) new digests: the clock stops when the client has the last line;
each answer's proofs are counted, and one of them is verified. 0 leaves a part out. What is signed
is durable (fsync), logged, and included in a signed tree head. The goals, on two cores: 800 signed
digests a second, 99 of 100 within 100 ms at half load; 20,000 outputs a second in batches.
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
    words.add_argument("requests", type=int, nargs="?", default=4000, help="in each round")
    given = words.parse_args()
    for part, count in (("signing", given.requests), ("batches", given.outputs)):
        if not count:
            continue
        with tempfile.TemporaryDirectory(prefix="assay-bench-") as name, registry(Path(name)):
            measure(part, given.rounds, count)


if __name__ == "__main__":
    main()
