# SPDX-License-Identifier: Apache-2.0
"""A registry process that forks for each order, so that a test can kill the fork at any call.

Orders come on standard input, one a line: `advance ID`, `along ID`, `receive FILE`. The answers are
the fork's process id, when it waits for SIGUSR1 to begin, and its wait status, when it has ended.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import traceback
from pathlib import Path

import django

PR_SET_PTRACER = 0x59616D61
PR_SET_PTRACER_ANY = -1


def main() -> None:
    """Serves orders until standard input ends."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry.settings")
    django.setup()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    for line in sys.stdin:
        order, argument = line.split()
        child = os.fork()
        if child == 0:
            _obey(order, argument)
        print(child, flush=True)  # noqa: T201 - the answer
        print(os.waitpid(child, 0)[1], flush=True)  # noqa: T201 - the answer


def _obey(order: str, argument: str) -> None:
    """In the fork; never returns."""
    # Where only a parent may trace (Yama), the test's strace is none.
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0)
    signal.sigwait({signal.SIGUSR1})
    try:
        {"advance": _advance, "along": _along, "receive": _receive}[order](argument)
    except BaseException:  # noqa: BLE001 - a fork ends here, whatever happens
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _advance(checkpoint_id: str) -> None:
    from registry.catalog import services  # noqa: PLC0415 - after django.setup()

    services.advance(int(checkpoint_id))


def _along(checkpoint_id: str) -> None:
    """As the worker does."""
    from registry.catalog import services  # noqa: PLC0415 - after django.setup()

    services.advance_with_others(int(checkpoint_id))


def _receive(file: str) -> None:
    from assay.signing.manifest import Manifest  # noqa: PLC0415 - as above
    from registry.accounts import queries as accounts  # noqa: PLC0415 - as above
    from registry.catalog import queries, services  # noqa: PLC0415 - as above

    wanted = json.loads(Path(file).read_text())
    user = accounts.user(wanted["user"])
    assert user is not None
    services.receive(
        services.Submission(
            user=user,
            project=queries.project(*wanted["project"].split("/")),
            name=wanted["name"],
            step=None,
            manifest=Manifest.parse(wanted["manifest"]),
        )
    )


if __name__ == "__main__":
    main()
