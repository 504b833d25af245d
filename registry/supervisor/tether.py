# SPDX-License-Identifier: Apache-2.0
"""Becomes another program that cannot outlive its parent, and sheds root on the way if asked.

A stand-alone script (`python -I -S tether.py PARENT SIGNAL IDS -- PROGRAM …`): it imports nothing
of ours, because it also runs as root, and an exec'd launcher is safe where `preexec_fn` in a
process with threads is not. IDS is `-`, or `UID:GID` to become before the exec.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1  # prctl(2); Linux only. Elsewhere an orphan is stopped at the next start.


def main(arguments: list[str]) -> None:
    """Sheds privileges, binds this process to its parent's life and becomes the program."""
    parent, signal, ids, _, *program = arguments
    if ids != "-":
        uid, gid = (int(part) for part in ids.split(":"))
        os.setgroups([gid])
        os.setgid(gid)
        os.setuid(uid)
    die_with(int(parent), int(signal))  # after setuid, which clears the setting (prctl(2))
    os.execvp(program[0], program)  # noqa: S606 - this program's whole purpose


def die_with(parent: int, signal: int) -> None:
    """Asks the kernel to send this process the signal when its parent ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal)
        if os.getppid() != parent:  # it ended before prctl took hold
            sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
