# SPDX-License-Identifier: Apache-2.0
"""What the browser's witness concludes from the vectors, our own programs conclude as well."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assay.signing import cosignatures, treehead
from assay.signing.cosignatures import Witness
from assay.signing.errors import BadTreeHead, LedgerRolledBack, MissingEvidence, VerificationError
from assay.signing.monitor import Memory, follow
from assay.signing.treehead import Verifier

FOLDER = Path(__file__).parent.parent / "vectors"
VECTORS = json.loads((FOLDER / "witnessing.json").read_text("ascii"))
COSIGNED = VECTORS["cosignatures"]
WITNESS = Witness.parse(VECTORS["witness"]["verifier"])


def fetcher(name: str) -> Callable[[str], bytes]:
    files = VECTORS["files"][name]

    def fetch(path: str) -> bytes:
        if path not in files:
            raise MissingEvidence(f"expected a file at {path}, found none")
        return bytes.fromhex(files[path])

    return fetch


def found(memory: Memory, step: dict[str, Any]) -> str:
    note = VECTORS["heads"][step["head"]][str(step["size"])]
    try:
        progress = follow(memory, note, fetcher(step["files"]))
    except LedgerRolledBack:
        return "stale"  # as a browser says it; a monitor's run ends
    except VerificationError as error:
        return error.code
    is_new = progress.now != progress.before or progress.now.size == 0
    return "seen" if is_new else "same"


@pytest.mark.parametrize("look", VECTORS["looks"], ids=lambda look: look["why"])
def test_each_look_finds_what_it_must(look: dict[str, Any], tmp_path: Path) -> None:
    memory = Memory(folder=tmp_path, ledger=Verifier.parse(VECTORS["ledger"]))
    for step in look["steps"]:
        assert found(memory, step) == step["finds"]


def test_a_head_of_another_key_is_not_the_ledgers() -> None:
    with pytest.raises(BadTreeHead):
        treehead.verify(VECTORS["not_signed"], VECTORS["ledger"])


def test_the_same_key_makes_the_same_cosignature() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(VECTORS["witness"]["seed"]))
    head = treehead.parse(COSIGNED["note"])
    line = cosignatures.cosign(head, key, name=WITNESS.name, at=COSIGNED["at"])
    assert line == COSIGNED["line"]


@pytest.mark.parametrize("case", COSIGNED["accepted"])
def test_a_note_says_when_its_head_was_seen(case: dict[str, Any]) -> None:
    assert cosignatures.verify(case["note"], WITNESS) == case["at"]


@pytest.mark.parametrize("case", COSIGNED["refused"], ids=lambda case: case["why"])
def test_a_forged_cosignature_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(BadTreeHead):
        cosignatures.verify(case["note"], WITNESS)
