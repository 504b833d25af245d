# SPDX-License-Identifier: Apache-2.0
"""Each way in which evidence can be wrong, at the command: its step, its code, its exit code.

The cases are the vectors that both verifiers share (tests/vectors); the command judges files.
"""

from __future__ import annotations

import inspect
import json
import re
from base64 import b64decode
from pathlib import Path

import pytest

from assay.signing import canonical, errors
from assay.signing.commands.pins import Pins
from assay.signing.errors import VerificationError
from assay.signing.trust import Pinned, TrustRoot
from tests.signing.commands.desk import Desk
from tests.signing.test_vectors import Json, judged, mutated
from tests.signing.world import AT

FAILURES = [
    each
    for _, each in inspect.getmembers(errors, inspect.isclass)
    if issubclass(each, VerificationError) and each is not VerificationError
]
EXIT_CODES = {each.code: each.exit_code for each in FAILURES}
# The command says at once that another registry signed this (test_an_unpinned_registry.py).
NOT_PINNED = "another URL is pinned"
REFUSED_BY_VECTORS = [
    case
    for case in judged(is_refused=False)
    if case.values[1].get("failed") and case.values[1]["name"] != NOT_PINNED
]
# What is not of evidence alone, and the tests beside this one that print it.
ELSEWHERE = {
    "bad-credentials": "test_verify_media",
    "bad-tile": "test_monitor",
    "digest-mismatch": "test_sigstore",
    "ledger-rolled-back": "test_monitor",
    "no-trust-root": "test_verify",
    "not-witnessed": "test_verify_demands",
    "wrong-identity": "test_sigstore",
    "wrong-key": "test_sign_with_a_key",
}


def judge(desk: Desk, given: Json, mutation: Json) -> tuple[int, str]:
    """What `assay verify` says of it, and ends with."""
    root = TrustRoot.parse(mutation.get("trust_root", given["trust_root"]))
    Pins.of_user().add(Pinned(root=root, pinned_at=AT, pinned_from=root.registry))
    evidence = desk.folder / "evidence.assay.json"
    evidence.write_bytes(canonical.dumps(mutated(given, mutation)))
    at = mutation.get("as_of", given["as_of"])
    words = (
        "verify",
        artifact(desk.folder, given, mutation),
        "--evidence",
        evidence,
        "--as-of",
        at,
    )
    code, out, _ = desk.assay(*words)
    assert "✘" in out
    again, out, _ = desk.assay(*words, "--json")
    assert again == code
    return code, json.loads(out)["error"]["code"]


def artifact(folder: Path, given: Json, mutation: Json) -> Path:
    """The text, or the checkpoint's folder."""
    if mutation["artifact"] == "output":
        path = folder / "text.txt"
        path.write_bytes(mutation.get("text", given["text"]).encode())
        return path
    path = folder / "step-100"
    for name, data in mutation.get("files", given["files"]).items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b64decode(data))
    return path


@pytest.mark.parametrize(("given", "mutation"), REFUSED_BY_VECTORS)
def test_the_command_fails_as_the_vectors_say(desk: Desk, given: Json, mutation: Json) -> None:
    code, said = judge(desk, given, mutation)
    assert (code, said) == (EXIT_CODES[mutation["error"]], mutation["error"])


def test_each_failure_is_printed_by_a_test() -> None:
    shown = {case.values[1]["error"] for case in REFUSED_BY_VECTORS}
    assert EXIT_CODES.keys() - shown == ELSEWHERE.keys()
    for code, module in ELSEWHERE.items():
        source = Path(__file__).with_name(f"{module}.py").read_text()
        assert re.search(rf"\b{EXIT_CODES[code]}\b", source), code
