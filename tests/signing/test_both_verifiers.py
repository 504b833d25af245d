# SPDX-License-Identifier: Apache-2.0
"""Python and the browser say the same of evidence with changed bytes, step by step."""

from __future__ import annotations

import base64
import copy
import json
import shutil
import subprocess
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

from assay.signing import canonical
from assay.signing.errors import AssayError, Outcome
from assay.signing.evidence import Evidence
from assay.signing.trust import TrustRoot
from assay.signing.verify import Basis, Content, Requirements, examine_output
from tests.thorough import IS_REPEATING, repeated

ROOT = Path(__file__).parents[2]
MUTANTS = 500 if IS_REPEATING else 100  # some five a second, in both languages
SEED = 20261121
NODE = shutil.which("node") or "node"
Json: TypeAlias = Any
Verdict: TypeAlias = list[list[str | None]]

GIVEN: Json = json.loads((ROOT / "tests/vectors/evidence.json").read_text(encoding="ascii"))
MATERIAL = ("bundles", "output", "verificationMaterial")
CHAIN = (*MATERIAL, "x509CertificateChain", "certificates")
ENTRY = (*MATERIAL, "tlogEntries", 0)
PROOF = (*ENTRY, "inclusionProof")
STAMP = (*MATERIAL, "timestampVerificationData", "rfc3161Timestamps", 0, "signedTimestamp")
SIGNATURE = ("bundles", "output", "dsseEnvelope", "signatures", 0, "sig")
NOTE = (*PROOF, "checkpoint", "envelope")
LISTS = [
    ("revocation_lists", number) for number in range(len(GIVEN["evidence"]["revocation_lists"]))
]
# What libraries read most differently comes most often.
PLACES = [
    *[STAMP] * 12,
    *[(*CHAIN, 0, "rawBytes")] * 8,
    *[(*CHAIN, 1, "rawBytes")] * 8,
    *LISTS,
    *[NOTE] * 4,
    (*ENTRY, "canonicalizedBody"),
    (*PROOF, "rootHash"),
    SIGNATURE,
]


def mutant(random: Random) -> bytes:
    """The evidence with one bit or byte changed, left out or doubled, in one of its parts."""
    document = copy.deepcopy(GIVEN["evidence"])
    *outer, last = random.choice(PLACES)
    inner = document
    for step in outer:
        inner = inner[step]
    is_note = last == "envelope"
    data = inner[last].encode() if is_note else base64.b64decode(inner[last])
    changed = changed_once(bytearray(data), random)
    text = changed.decode("utf-8", "replace") if is_note else base64.b64encode(changed).decode()
    inner[last] = text
    return canonical.dumps(document)


def changed_once(data: bytearray, random: Random) -> bytes:
    at = random.randrange(len(data))
    match random.choice(("bit", "bit", "bit", "byte", "gone", "twice")):
        case "bit":
            data[at] ^= 1 << random.randrange(8)
        case "byte":
            data[at] = (data[at] + random.randrange(1, 256)) % 256
        case "gone":
            del data[at]
        case _:
            data.insert(at, data[at])
    return bytes(data)


def judged(document: bytes) -> Verdict:
    """What Python says."""
    trust = TrustRoot.parse(GIVEN["trust_root"])
    requirements = Requirements(as_of=canonical.instant(GIVEN, "as_of"))
    basis = Basis(trust=trust, requirements=requirements)
    try:
        evidence = Evidence.parse(canonical.loads(document))
    except AssayError as error:
        return [["reading", "failed", error.code, ""]]
    found = examine_output(evidence, basis=basis, content=Content.of(GIVEN["text"].encode()))
    return [
        [
            step.code,
            step.outcome.value,
            step.error.code if step.error else None,
            f"{step.title}: {step.detail}" if step.outcome is Outcome.PASSED else step.title,
        ]
        for step in found.steps
    ]


def judged_by_the_browsers(documents: list[bytes], folder: Path) -> list[Verdict]:
    """What the browser's verifier says, in one process."""
    given = {name: GIVEN[name] for name in ("trust_root", "as_of", "text")}
    given["documents"] = [base64.b64encode(each).decode() for each in documents]
    file = folder / "mutants.json"
    file.write_text(json.dumps(given), encoding="ascii")
    done = subprocess.run(
        [NODE, "tests/judge.mjs", str(file)],
        cwd=ROOT / "frontend",
        capture_output=True,
        check=True,
        timeout=1800,
    )
    found: list[Verdict] = json.loads(done.stdout)
    return found


@repeated
def test_both_say_the_same_of_each_changed_byte(tmp_path: Path) -> None:
    random = Random(SEED)  # noqa: S311 - the same mutants each time
    documents = [canonical.dumps(GIVEN["evidence"]), *(mutant(random) for _ in range(MUTANTS))]
    ours = [judged(each) for each in documents]
    theirs = judged_by_the_browsers(documents, tmp_path)
    different = [pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1]]
    assert different == []
    good, *changed = ours
    assert {outcome for _, outcome, *_ in good} == {"passed"}
    assert all("failed" in {outcome for _, outcome, *_ in each} for each in changed)
