# SPDX-License-Identifier: Apache-2.0
"""Measures what verifying outputs costs: one with the start of `assay`, and many in one process.

`./run bench verifying [OUTPUTS [ROUNDS]]` makes OUTPUTS (10,000) signed texts of one checkpoint,
each with all of its evidence in a file of its own. ROUNDS times (7), in turns, it starts Python
alone, Python with the library of cryptography, `assay --help` and `assay verify` of one output;
then one process verifies all of them. Of the starts it prints processor time, the least of the
rounds, which says what a quiet machine would do. The goals: 150 ms for one output, and 2,000 a
second in one process.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from assay.signing import merkle
from assay.signing.bundle import Bundle, LedgerProof
from assay.signing.certificates import Purpose
from assay.signing.commands.pins import Pins
from assay.signing.digests import sha256
from assay.signing.evidence import Evidence
from assay.signing.offline import verify
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
        _many(paths, world)


def _evidence(world: World, texts: list[str]) -> Iterator[Evidence]:
    """Of each text: under one checkpoint, and under one tree head that holds all of them."""
    first = world.evidence_for_output(texts[0])
    statement = sha256(first.bundles["checkpoint"].envelope.payload)
    checkpoint = manifest_of(FILES).id
    signed = [
        world.sign(
            output_claim(text, checkpoint, statement).statement(), Purpose.OUTPUT, world.alice
        )
        for text in texts
    ]
    stored = merkle.new_subtrees(0, world.entries, lambda *_: b"")
    note, verifier = world.note(), world.trust.verifier
    for each in signed:
        hashes = merkle.inclusion_proof(
            each.index, len(world.entries), lambda level, position: stored[level, position]
        )
        bundle = Bundle(
            envelope=each.envelope,
            chain=each.chain,
            timestamp=each.timestamp,
            proof=LedgerProof.of(each.index, hashes, note=note, verifier=verifier),
        )
        yield replace(first, bundles={**first.bundles, "output": bundle})


def _starts(path: Path, rounds: int) -> None:
    """Each program's processor time, the least of all rounds, and as a ratio to Python alone."""
    least = dict.fromkeys(PROGRAMS, float("inf"))
    for _ in range(rounds):
        for name, words in PROGRAMS.items():
            more = (str(path),) if name.endswith("OUTPUT") else ()
            before = _children()
            command = (sys.executable, *words, *more)
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            least[name] = min(least[name], _children() - before)
    bare = least["python -c pass"]
    for name, seconds in least.items():
        print(f"{name:<26}{seconds * 1000:8.0f} ms{seconds / bare:8.1f} × Python alone")
    print(f"{'the goal for one output':<26}{ONE_MS:8} ms")


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _many(paths: list[Path], world: World) -> None:
    """All of them, one after the other, as a program would: `assay.signing.offline.verify`."""
    trust = world.trust
    started, used = time.perf_counter(), time.process_time()
    for path in paths:
        verify(path, trust=trust)
    used, seconds = time.process_time() - used, time.perf_counter() - started
    count = len(paths)
    print(
        f"{count} outputs in one process: {count / used:.0f} for each second of processor time, "
        f"{count / seconds:.0f} a second by the clock (the goal: {MANY_A_SECOND})"
    )


if __name__ == "__main__":
    main()
