# SPDX-License-Identifier: Apache-2.0
"""The process apart (apart.py): a line names a file, a line answers, until nothing more comes."""

from __future__ import annotations

import gc
import json
import math
import resource
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from .gate import check
from .refused import Refused

MEMORY_BYTES = 256 << 20  # above what the interpreter has taken when it starts
# Of the processor, at least: the system counts whole seconds. Measured: 0.6 s for a vocabulary of
# 260,000 words, and 1.0 s for a header of 25 MB with 100,000 tensors, on a machine at work.
CPU_SECONDS = 1
OUT_OF_MEMORY = 3
STATM = Path("/proc/self/statm")  # its first number is the address space, in pages; Linux alone


def main() -> int:
    """Answers standard input on standard output."""
    confine()
    gc.disable()  # a third of the time, for a header of 100,000 tensors, which has no cycles
    try:
        for answer in answers(sys.stdin):
            sys.stdout.write(f"{answer}\n")
            sys.stdout.flush()
    except MemoryError:
        return OUT_OF_MEMORY
    return 0


def confine() -> None:
    """So much memory from here on, no file written, no core left behind."""
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    if STATM.exists():
        taken = int(STATM.read_text().split()[0]) * resource.getpagesize()
        _limit(resource.RLIMIT_AS, taken + MEMORY_BYTES)


def answers(questions: Iterable[str]) -> Iterator[str]:
    """To each line one; what takes more than its time ends the process instead."""
    for question in questions:
        gc.collect()  # what the one before left, if anything
        asked = json.loads(question)
        used = resource.getrusage(resource.RUSAGE_SELF)
        _limit(resource.RLIMIT_CPU, math.ceil(used.ru_utime + used.ru_stime) + CPU_SECONDS)
        yield json.dumps(_answer(asked["name"], Path(asked["path"])))


def _answer(name: str, path: Path) -> dict[str, object]:
    try:
        accepted = check(name, path)
    except Refused as refused:
        return {"expected": refused.expected, "found": refused.found}
    tensors = accepted.tensors.to_json() if accepted.tensors else None
    return {"format": accepted.format, "needs_code": accepted.needs_code, "tensors": tensors}


def _limit(what: int, most: int) -> None:
    """Softly: the time is given anew for each file."""
    resource.setrlimit(what, (most, resource.getrlimit(what)[1]))


if __name__ == "__main__":
    sys.exit(main())
