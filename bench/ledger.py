# SPDX-License-Identifier: Apache-2.0
"""Measures the ledger: durable entries per second, publishing, and proofs in a large tree.

`./run bench ledger [ROUNDS [ENTRIES [PUBLISHES [MILLIONS]]]]` starts a registry of its own, its
PostgreSQL durable (fsync), its signer a process. ROUNDS times (5) two programs record ENTRIES
signed statements (10,000) while a third integrates them, until a signed tree head includes the
last and its tiles are on the disk, in turns with a plain COPY of the same bytes; then the ledger is
verified from its leaves. Over HTTP, PUBLISHES checkpoints (100) are published by 1, 8, 20 and 100
at once. Last the tree is filled to MILLIONS of leaves (10), witnessed as it grew, and what it takes
to serve a proof is counted; 0 leaves a part out. The goals: 4,000 entries a second and no gap;
publishing within 2 s in 99 of 100 cases; reads that grow as log n.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from registry.supervisor import embedded, programs, waiting
from registry.supervisor.environment import CHECKOUT, fill_in
from registry.supervisor.lock import Lock
from registry.supervisor.processes import Process

INSIDE = Path(__file__).parent / "inside"


def main() -> None:
    """The measurements, in processes that have a registry to talk to."""
    words = argparse.ArgumentParser(prog="./run bench ledger", description=__doc__)
    words.add_argument("rounds", type=int, nargs="?", default=5)
    words.add_argument("entries", type=int, nargs="?", default=10_000, help="in each round")
    words.add_argument("publishes", type=int, nargs="?", default=100, help="in each round")
    words.add_argument("millions", type=float, nargs="?", default=10.0)
    given = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as name, registry(Path(name)):
        if given.entries:
            measure("entries", given.rounds, given.entries)
        if given.publishes:
            measure("publishing", given.publishes, given.rounds)
        if given.millions:
            measure("proofs", given.millions)


def measure(name: str, *numbers: float) -> None:
    """One of the measurements, in a process of its own."""
    words = map(str, numbers)
    subprocess.run(
        [sys.executable, str(INSIDE / f"{name}.py"), *words],
        check=True,
    )


@contextmanager
def registry(folder: Path) -> Iterator[None]:
    """A registry's database, authority and signer, in a folder of their own."""
    for variable in [each for each in os.environ if each.startswith("ASSAY_")]:
        del os.environ[variable]
    for variable in ("DATABASE_URL", "BROKER_URL"):
        os.environ.pop(variable, None)
    os.environ |= {
        "ASSAY_DATA_DIR": str(folder / "data"),
        "ASSAY_LOG_LEVEL": "CRITICAL",
        "ASSAY_PORT": str(free_port()),
        "DJANGO_SETTINGS_MODULE": "registry.settings",
        "PYTHONPATH": str(CHECKOUT),
    }
    manage = (sys.executable, str(CHECKOUT / "manage.py"))
    deployment = fill_in(os.environ)
    with ExitStack() as stack:
        stack.enter_context(Lock(deployment.places.lock))  # or each command would tidy behind us
        stack.callback(deployment.places.tidy)
        for server in embedded.servers(deployment):
            stack.callback(server.start().stop)
        for words in (("migrate", "--verbosity=0"), ("authority", "init")):
            subprocess.run((*manage, *words), check=True, stdout=subprocess.DEVNULL)
        signer = Process(programs.signer(deployment))
        stack.callback(signer.stop)
        answers = waiting.listens(deployment.places.signer_socket)
        waiting.until_it_answers(signer, answers, expectation="its socket")
        yield


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
