# SPDX-License-Identifier: Apache-2.0
"""Measures hashing: ours beside two parallel openssl, and beside model_signing for many files.

`./run bench hashing [GIB [FILES [ROUNDS]]]` makes a folder of GIB gibibytes (4) in eight files and
one of FILES small files (10,000), and lets all of them hash both in turns, ROUNDS times (5); it
ends with medians, ratios and our peak of memory. Every program is timed whole, from its start to
its end. The goals: 0.9 of openssl's rate, 1.5 of model_signing's, and 64 MiB above the interpreter.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from assay.signing.keys import SoftwareKey

ROOT = Path(__file__).resolve().parents[1]
THEIRS = ROOT / ".venv-clients" / "bin" / "model_signing"
LARGE_FILES = 8
SMALL_BYTES = 16 << 10
BLOCK_BYTES = 64 << 20
GOALS = {"openssl": 0.9, "model_signing": 1.5, "memory": 64 << 20}

PEAK = "[int(l.split()[1]) for l in open('/proc/self/status') if l.startswith('VmHWM')][0]"
BARE = f"print({PEAK})"
OURS = f"""
import sys
from pathlib import Path
from assay.signing.manifest import Manifest
print(Manifest.of_folder(Path(sys.argv[1])).size_bytes, {PEAK})
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """What is hashed, by whom, and how much better than the peer we mean to be."""

    title: str
    size_bytes: int
    ours: Callable[[], float]
    theirs: Callable[[], float]
    peer: str


def main() -> None:
    """Both contests in turns, then the medians."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # nobody compiles their modules each time
    gib = float(sys.argv[1]) if len(sys.argv) > 1 else 4.0
    files = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as name:
        folder = Path(name)
        contests = [large(folder, int(gib * (1 << 30)))]
        if THEIRS.exists():
            contests.append(small(folder, files))
        else:
            print("many files: not measured, for there is no .venv-clients; ./run test makes it\n")
        for contest in contests:
            print(f"{contest.title}; GB/s, each program from start to end")
            line("", "ours", contest.peer)
            judge(contest, rounds)
        memory(folder / "large")


def judge(contest: Contest, rounds: int) -> None:
    """Who is quicker: one warm-up, then in turns."""
    contest.theirs(), contest.ours()
    found: list[tuple[float, float]] = []
    for number in range(rounds):
        took = contest.ours(), contest.theirs()
        found.append((contest.size_bytes / took[0] / 1e9, contest.size_bytes / took[1] / 1e9))
        line(f"round {number + 1}", *found[-1])
    ours, theirs = (statistics.median(rates) for rates in zip(*found, strict=True))
    line("median", ours, theirs)
    ratio = statistics.median(mine / other for mine, other in found)
    print(f"  ratio {ratio:.2f} (goal: {GOALS[contest.peer]})\n", flush=True)


def large(folder: Path, size_bytes: int) -> Contest:
    """A few large files: what limits is the processor."""
    place = folder / "large"
    place.mkdir()
    block = os.urandom(min(BLOCK_BYTES, size_bytes // LARGE_FILES))
    for number in range(LARGE_FILES):
        with (place / f"{number}.safetensors").open("wb") as file:
            for _ in range(size_bytes // LARGE_FILES // len(block)):
                file.write(block)
    paths = sorted(place.iterdir())
    halves = [("openssl", "dgst", "-sha256", *paths[half::2]) for half in (0, 1)]
    return Contest(
        title=f"{LARGE_FILES} files of {paths[0].stat().st_size >> 20} MiB",
        size_bytes=sum(path.stat().st_size for path in paths),
        ours=lambda: timed((sys.executable, "-c", OURS, place)),
        theirs=lambda: timed(*halves),
        peer="openssl",
    )


def small(folder: Path, count: int) -> Contest:
    """Many small files: what limits is how much is done for each."""
    place, key, public = folder / "small", folder / "key.pem", folder / "public.pem"
    signature = folder / "model.sig"
    for number in range(count):
        file = place / f"{number % 100:02}" / f"{number}.bin"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(number.to_bytes(8, "big") * (SMALL_BYTES // 8))
    SoftwareKey.generate().store(key, None)
    run("openssl", "pkey", "-in", key, "-pubout", "-out", public)
    assay = (sys.executable, "-m", "assay.signing.commands")
    signing = ("sign", place, "--method", "key", "--private-key", key, "--output-bundle", signature)
    run(*assay, *signing)
    ours = ("--method", "key", "--model-path", place, "--public-key", public, "--bundle", signature)
    theirs = ("verify", "key", place, "--public_key", public, "--signature", signature)
    return Contest(
        title=f"{count} files of {SMALL_BYTES >> 10} KiB, verified",
        size_bytes=count * SMALL_BYTES,
        ours=lambda: timed((*assay, "oms", "verify-model", *ours)),
        theirs=lambda: timed((THEIRS, *theirs)),
        peer="model_signing",
    )


def memory(folder: Path) -> None:
    """Our peak above that of an interpreter that does nothing."""
    bare = int(run(sys.executable, "-c", BARE)) << 10
    size, peak = run(sys.executable, "-c", OURS, folder).split()
    above = (int(peak) << 10) - bare
    print(f"memory above the bare interpreter's {bare / 2**20:.1f} MiB")
    print(f"  {above / 2**20:.1f} MiB for {int(size) / 2**30:.1f} GiB (goal: 64)")


def timed(*commands: Sequence[str | Path]) -> float:
    """Seconds until all of these programs, started together, have ended well."""
    began = time.perf_counter()
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]
    codes = [process.wait() for process in running]
    if any(codes):
        sys.exit(f"failed: {commands}")
    return time.perf_counter() - began


def run(*command: str | Path) -> str:
    """What a program that must end well prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def line(text: str, *values: float | str) -> None:
    """One measured line."""
    cells = (f"{value:>15}" if isinstance(value, str) else f"{value:15.2f}" for value in values)
    print(f"  {text:<20}" + "".join(cells), flush=True)


if __name__ == "__main__":
    main()
