# SPDX-License-Identifier: Apache-2.0
"""Celery as the supervisor runs it: a worker's own processes end when it is killed.

Without this, pool processes whose parent got SIGKILL wait for ever on a pipe that a sibling keeps
open. What they were doing is in a row, and the next worker finds it there.
"""

import os
import signal
import sys

from celery.__main__ import main
from celery.signals import worker_process_init

from .tether import die_with


def end_with(parent: int) -> None:
    """Binds each process that the worker forks to the worker's own life."""

    def bind(**_event: object) -> None:
        die_with(parent, signal.SIGKILL)

    worker_process_init.connect(bind, weak=False)


if __name__ == "__main__":
    end_with(os.getpid())
    sys.exit(main())
