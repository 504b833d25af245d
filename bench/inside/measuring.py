# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks of the ledger share: printed lines, and the processor's time.

On a machine that does other things as well, seconds say little; what the processors spent on an
entry, in every process that has a part in it, says how many two idle cores could do.
"""

import os
import statistics
from collections.abc import Sequence
from pathlib import Path

CORES = 2  # what the goals are for
TICKS = os.sysconf("SC_CLK_TCK")
PARENT, TIMES = 1, slice(11, 15)  # proc_pid_stat(5), after the name: ppid; utime … cstime


def processor_seconds() -> float:
    """User and system time, so far, of the benchmark and of everything below it, the dead too."""
    times: dict[int, int] = {}
    children: dict[int, list[int]] = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            fields = (process / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended just now, and its parent has its time
        times[int(process.name)] = sum(map(int, fields[TIMES]))
        children.setdefault(int(fields[PARENT]), []).append(int(process.name))
    total, left = 0, [os.getppid()]
    while left:
        pid = left.pop()
        total += times.get(pid, 0)
        left += children.get(pid, ())
    return total / TICKS


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def p99(values: Sequence[float]) -> float:
    """What 99 of 100 are below."""
    return statistics.quantiles(values, n=100, method="inclusive")[98]


def head(title: str, *columns: str) -> None:
    """A title and the names of columns."""
    print(f"\n{title}\n  {'':<44}" + "".join(f"{column:>12}" for column in columns), flush=True)


def line(text: str, *values: float) -> None:
    """One measured line."""
    cells = (f"{v:12d}" if isinstance(v, int) else f"{v:12.2f}" for v in values)
    print(f"  {text:<44}{''.join(cells)}", flush=True)
