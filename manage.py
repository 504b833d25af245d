#!/usr/bin/env python
# SPDX-License-Identifier: Apache-2.0
"""Runs a management command of the registry; `./run WORD` is the same with set-up first."""

import os
import signal
import sys
from types import FrameType

INTERRUPTED = 130  # 128 + SIGINT, as shells say it


def main() -> int:
    """Runs the command named on the command line, with a database to talk to."""
    # Until something is started there is nothing to stop: a traceback of our imports helps nobody.
    signal.signal(signal.SIGINT, _leave)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # ./run held it back for this
    from registry.supervisor.commanding import command  # noqa: PLC0415 - see above

    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return command(sys.argv)
    except KeyboardInterrupt:
        sys.stderr.write("\n✘ interrupted\n")
        return INTERRUPTED


def _leave(_number: int, _frame: FrameType | None) -> None:
    os.write(2, "\n✘ interrupted\n".encode())
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    sys.exit(main())
