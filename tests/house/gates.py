# SPDX-License-Identifier: Apache-2.0
"""The checks behind `./run test`, `lint`, `fix` and `dist`: which programs, and how they ended."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FRONTEND = ROOT / "frontend"
TOOLS = FRONTEND / "node_modules" / ".bin"
PYTHON = (sys.executable, "-m")
CORES = 2
MYPY = ("-p", "assay", "-p", "registry", "-p", "tests")
# A path of a link without the link; that of `toplevel.py` would be `__init__.py` alone.
LINKED = re.compile(r"\.venv/lib/python3[^/]*/site-packages/assay/(?!__init__)")
COVERAGE = (("toplevel.py,signing/*", 100), ("registry/*,trainers/*", 90))
GREEN, RED, PLAIN = "\033[32m", "\033[31m", "\033[0m"
COLUMNS = 80
THOROUGH = "ASSAY_TEST_THOROUGH"  # tests/thorough.py


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A program that must end with 0."""

    name: str
    command: tuple[str, ...]
    folder: Path = ROOT


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a gate ended."""

    name: str
    code: int
    output: str
    seconds: float


GATES = (  # the slow ones first: two run at a time
    Gate(name="mypy", command=(*PYTHON, "mypy", *MYPY)),
    Gate(name="pyright", command=(str(TOOLS / "pyright"), "--project", str(ROOT))),
    Gate(name="vitest", command=("npm", "run", "--silent", "test"), folder=FRONTEND),
    Gate(name="tsc", command=("npm", "run", "--silent", "check"), folder=FRONTEND),
    Gate(name="import contracts", command=(str(Path(sys.executable).with_name("lint-imports")),)),
    Gate(name="migrations", command=(*PYTHON, "tests.house.migrations")),
    Gate(name="ruff check", command=(*PYTHON, "ruff", "check", "--no-fix", "--quiet")),
    Gate(name="ruff format", command=(*PYTHON, "ruff", "format", "--check", "--quiet")),
    Gate(name="biome", command=(str(TOOLS / "biome"), "check"), folder=FRONTEND),
)
MENDING = (
    Gate(name="ruff check --fix", command=(*PYTHON, "ruff", "check", "--fix", "--quiet")),
    Gate(name="ruff format", command=(*PYTHON, "ruff", "format", "--quiet")),
    Gate(
        name="biome check --write",
        command=(str(TOOLS / "biome"), "check", "--write"),
        folder=FRONTEND,
    ),
)
# A worker that crashed ends the run, and says in which test: with another in its place, whoever
# hands out files waits for the crashed one's for ever (pytest-xdist 3.8).
NO_RESTART = ("--max-worker-restart", "0")
IN_PARALLEL = ("-n", str(CORES), "--dist", "loadfile", "--no-loadscope-reorder", *NO_RESTART)
PYTEST = ("-m", "pytest", "--quiet", *IN_PARALLEL)
SLOWEST = ("--durations=25", "--durations-min=5")  # said at the end: of a whole run, in seconds
UNMEASURED = Gate(name="pytest", command=(sys.executable, *PYTEST))
# Not `pytest --cov`: coverage must begin before our plugin imports what it starts.
MEASURED = Gate(
    name="pytest, measured",
    command=(*PYTHON, "coverage", "run", *PYTEST, *SLOWEST, "-m", "not thorough"),
)
REPEATED = Gate(
    name="pytest, again at all points",
    command=(sys.executable, *PYTEST, *SLOWEST, "-m", "repeated or thorough"),
)
COMBINE = Gate(name="coverage data", command=(*PYTHON, "coverage", "combine", "--quiet"))
DOCS = Gate(name="generated pages in docs/", command=(*PYTHON, "tests.house.generated"))


def main(words: list[str]) -> int:
    """Does what the first word says; the exit code is 0 when nothing failed."""
    word, *rest = words
    match word:
        case "test" if rest:
            return subprocess.run([*PYTHON, "pytest", *rest], check=False).returncode
        case "test":
            return test()
        case "fix":
            return report([outcome_of(gate) for gate in (*MENDING, DOCS)])
        case "docs":
            return report([outcome_of(DOCS)])
        case "dist":
            return dist()
        case _:
            return report(all_gates())


def all_gates() -> list[Outcome]:
    """Runs every check, as many at a time as there are cores."""
    with ThreadPoolExecutor(max_workers=CORES) as pool:
        return list(pool.map(outcome_of, GATES))


def test() -> int:
    """Every gate, then every test; where the tests are thorough, the coverage."""
    started = time.monotonic()
    say("Checks")
    outcomes = all_gates()
    say("\nTests")
    if os.environ.get(THOROUGH):
        outcomes += measured()
    else:
        outcomes.append(on_this_terminal(UNMEASURED))
        say(f"  the rest, and the coverage: .ci/run, or {THOROUGH}=1")
    code = report(outcomes)
    say(f"  in {time.monotonic() - started:.0f} s")
    return code


def measured() -> list[Outcome]:
    """Every test, how much of the code they ran, and again what is thorough."""
    with tempfile.TemporaryDirectory(prefix="assay-coverage-") as folder:
        os.environ["COVERAGE_FILE"] = str(Path(folder) / "data")
        outcomes = [on_this_terminal(MEASURED), outcome_of(COMBINE)]
        outcomes += [outcome_of(coverage_of(paths, least)) for paths, least in COVERAGE]
        return [*outcomes, on_this_terminal(REPEATED)]


def coverage_of(paths: str, least: int) -> Gate:
    """How much of these paths the tests ran, lines and branches."""
    report_of = (*PYTHON, "coverage", "report", "--include", paths, f"--fail-under={least}")
    return Gate(name=f"coverage of {paths} ≥ {least} %", command=report_of)


def dist() -> int:
    """Builds the wheel and the source archive into dist/."""
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    build = Gate(name="wheel and source archive", command=(*PYTHON, "hatchling", "build"))
    code = report([outcome_of(build)])
    for path in sorted((ROOT / "dist").glob("*")):
        say(f"  {path.relative_to(ROOT)}  {path.stat().st_size / 1024:.0f} KiB")
    return code


def outcome_of(gate: Gate) -> Outcome:
    """Runs one check and shows its line."""
    started = time.monotonic()
    try:
        ended = subprocess.run(
            gate.command, cwd=gate.folder, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as missing:
        code, output = 127, f"{missing.filename} is not there"
    else:
        code, output = ended.returncode, LINKED.sub("", ended.stdout + ended.stderr)
    seconds = time.monotonic() - started
    outcome = Outcome(name=gate.name, code=code, output=output, seconds=seconds)
    show(outcome)
    return outcome


def on_this_terminal(gate: Gate) -> Outcome:
    """Runs one check whose output is shown while it runs."""
    started = time.monotonic()
    code = subprocess.run(gate.command, cwd=gate.folder, check=False).returncode
    seconds = time.monotonic() - started
    outcome = Outcome(name=gate.name, code=code, output="(see above)", seconds=seconds)
    show(outcome)
    return outcome


def report(outcomes: Sequence[Outcome]) -> int:
    """Shows what failed, in full; 0 when nothing did."""
    failed = [outcome for outcome in outcomes if outcome.code != 0]
    for outcome in failed:
        title = f"── {outcome.name} "
        say(f"\n{paint(RED, title.ljust(COLUMNS, '─'))}\n{outcome.output.strip()}")
    if failed:
        names = ", ".join(outcome.name for outcome in failed)
        say(f"\n{paint(RED, '✘')} {len(failed)} of {len(outcomes)} failed: {names}")
    else:
        say(f"\n{paint(GREEN, '✔')} all {len(outcomes)} passed")
    return min(len(failed), 1)


def show(outcome: Outcome) -> None:
    """One line for a check that ended."""
    sign = paint(RED, "✘") if outcome.code else paint(GREEN, "✔")
    say(f"  {sign} {outcome.name:<52}{outcome.seconds:>8.1f} s")


def paint(colour: str, text: str) -> str:
    """Coloured text on a terminal, plain text elsewhere."""
    return f"{colour}{text}{PLAIN}" if sys.stdout.isatty() else text


def say(text: str) -> None:
    """A line, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
