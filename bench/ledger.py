# SPDX-License-Identifier: Apache-2.0
"""Measures the ledger: durable entries per second, publishing, and proofs in a large tree.

`./run bench ledger [ENTRIES [PUBLISHES [MILLIONS]]]` starts a registry of its own, its PostgreSQL
durable (fsync), its signer a process, and lets two programs record ENTRIES signed statements
(40,000) while a third integrates them, until a signed tree head includes the last; then it
verifies the ledger from its leaves. It publishes PUBLISHES checkpoints (200), inclusion waited for.
Last it fills the tree to MILLIONS of leaves (10) and counts what a proof reads. The goals: 4,000
entries a second and no gap; publishing within 2 s in 99 of 100 cases; reads that grow as log n.
"""

import os
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

INSIDE = Path(__file__).parent / "inside" / "ledger.py"
DEFAULTS = ("40000", "200", "10")


def main() -> None:
    """The measurements, in a process that has a registry to talk to."""
    given = sys.argv[1:]
    numbers = (*given, *DEFAULTS[len(given) :])
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as name, registry(Path(name)):
        subprocess.run([sys.executable, str(INSIDE), *numbers], check=True)


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
        socket = waiting.listens(deployment.places.signer_socket)
        waiting.until_it_answers(signer, socket, expectation="its socket")
        yield


if __name__ == "__main__":
    main()
