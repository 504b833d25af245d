# SPDX-License-Identifier: Apache-2.0
"""Measures what verifying outputs costs: one with the start of `assay`, and many in one process.

`./run bench verifying [OUTPUTS [ROUNDS]]` makes OUTPUTS (10,000) signed texts of one checkpoint,
each with all of its evidence in a file of its own. ROUNDS times (7), in turns, it starts Python
alone, Python with the library of cryptography, `assay --help` and `assay verify` of one output,
and prints the processor time of each start. As often, in turns, one process verifies all outputs,
verifies as many P-256 signatures alone, and `assay verify FILE… --brief` verifies all, on every
core. The goals: 150 ms for one output, and 2,000 a second.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from assay import verify
from assay.signing import keys, merkle
from assay.signing.bundle import Bundle, LedgerProof
from assay.signing.certificates import Purpose
from assay.signing.commands.pins import Pins
from assay.signing.digests import sha256
from assay.signing.evidence import Evidence
from assay.signing.excerpts import LineList
from assay.signing.keys import SoftwareKey
from assay.signing.statements import ListReference
from assay.signing.trust import Pinned
from tests.signing.world import FILES, World, manifest_of, output_claim

ONE_MS, MANY_A_SECOND = 150, 2000  # the goals
PROGRAMS = {
    "python -c pass": ("-c", "pass"),
    "import cryptography.x509": ("-c", "import cryptography.x509"),
    "assay --help": ("-m", "assay.signing.commands", "--help"),
    "assay verify OUTPUT": ("-m", "assay.signing.commands", "verify"),
}


def main() -> None:
    """Make the outputs, then measure the starts and the many."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # nobody compiles their modules each time
    outputs = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as name:
        folder = Path(name)
        os.environ["ASSAY_CONFIG"] = str(folder / "config")
        at = datetime.now(UTC).replace(microsecond=0)
        world = World.create(at=at)
        Pins.of_user().add(Pinned(root=world.trust, pinned_at=at, pinned_from="the benchmark"))
        texts = [f"def number_{number}():\n    return {number}\n" for number in range(outputs)]
        paths = [folder / f"{number}.json" for number in range(outputs)]
        for path, text, evidence in zip(paths, texts, _evidence(world, texts), strict=True):
            path.write_text(json.dumps({"text": text, "evidence": evidence.to_json()}))
        _starts(paths[0], rounds)
        _many(paths, world, rounds)


def _evidence(world: World, texts: list[str]) -> Iterator[Evidence]:
    """Of each text: under one checkpoint, and under one tree head that holds all of them."""
    first = world.evidence_for_output(texts[0])
    statement = sha256(first.bundles["checkpoint"].envelope.payload)
    checkpoint = manifest_of(FILES).id
    lines = [LineList.of(text) for text in texts]
    claims = [
        replace(
            output_claim(text, checkpoint, statement),
            lines=ListReference(count=len(each.digests), sha256=each.sha256),
        )
        for text, each in zip(texts, lines, strict=True)
    ]
    signed = [world.sign(each.statement(), Purpose.OUTPUT, world.alice) for each in claims]
    stored = merkle.new_subtrees(0, world.entries, lambda *_: b"")
    note, verifier = world.note(), world.trust.verifier
    for each, listed in zip(signed, lines, strict=True):
        hashes = merkle.inclusion_proof(
            each.index, len(world.entries), lambda level, position: stored[level, position]
        )
        bundle = Bundle(
            envelope=each.envelope,
            chain=each.chain,
            timestamp=each.timestamp,
            proof=LedgerProof.of(each.index, hashes, note=note, verifier=verifier),
        )
        yield replace(first, bundles={**first.bundles, "output": bundle}, lines=listed)


def _starts(path: Path, rounds: int) -> None:
    """Each program's processor time, and as a ratio to those of the two that verify nothing."""
    found: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(rounds):
        for name, words in PROGRAMS.items():
            more = (str(path),) if name.endswith("OUTPUT") else ()
            before = _children()
            command = (sys.executable, *words, *more)
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            found[name].append(_children() - before)
    bare, library, *_ = (statistics.median(each) for each in found.values())
    for name, each in found.items():
        middle = statistics.median(each)
        print(
            f"{name:<26}{middle * 1000:6.0f} ms ({min(each) * 1000:.0f} to {max(each) * 1000:.0f})"
            f"{middle / bare:8.1f} × Python alone{middle / library:6.2f} × the library alone"
        )
    print(f"{'the goal for one output':<26}{ONE_MS:6} ms")


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _many(paths: list[Path], world: World, rounds: int) -> None:
    """All of them in one process, as a program would; signatures alone; and by the command."""
    trust, key = world.trust, SoftwareKey.generate()
    signature = key.sign(bytes(500))

    def in_one_process() -> None:
        for path in paths:
            verify(path, trust=trust)

    def signatures_alone() -> None:
        for _ in paths:
            keys.verify(key.public_key, signature, bytes(500))

    def by_the_command() -> None:
        command = (sys.executable, *PROGRAMS["assay verify OUTPUT"], *map(str, paths), "--brief")
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    ways = (in_one_process, signatures_alone, by_the_command)
    found = {way: [_rates(way, len(paths)) for _ in range(rounds)] for way in ways}
    for way, each in found.items():
        used, passed = (statistics.median(rates) for rates in zip(*each, strict=True))
        said = way.__name__.replace("_", " ")
        print(f"{said:<26}{used:8.0f} for each second of processor time{passed:8.0f} by the clock")
    print(f"{'the goal':<26}{MANY_A_SECOND:8}")


def _rates(work: Callable[[], None], count: int) -> tuple[float, float]:
    """How many for each second of processor time, children's too, and by the clock."""
    began, used = time.perf_counter(), time.process_time() + _children()
    work()
    return (
        count / (time.process_time() + _children() - used),
        count / (time.perf_counter() - began),
    )


if __name__ == "__main__":
    main()
