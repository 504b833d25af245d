# SPDX-License-Identifier: Apache-2.0
"""`verify` for programs: frozen evidence, or an error with a code and the step that failed."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from pathlib import Path

import pytest

from assay import Demands, Match, Verified, trust_root, verify, verify_answer
from assay.signing.commands.pins import Pins
from assay.signing.errors import (
    AssayError,
    FileMismatch,
    InvalidDocument,
    MissingEvidence,
    NoTrustRoot,
    NotWitnessed,
    RevocationUnknown,
    TextMismatch,
)
from assay.signing.pack import Artifact, Pack
from assay.signing.trust import Pinned
from tests.signing.world import AT, FILES, TEXT, World


@pytest.fixture
def text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file, and a user who has pinned nothing."""
    monkeypatch.setenv("ASSAY_CONFIG", str(tmp_path / "config"))
    path = tmp_path / "text.txt"
    path.write_bytes(TEXT.encode())
    return path


@pytest.fixture
def answer(text: Path, world: World) -> Path:
    """The evidence beside it."""
    path = text.with_name("answer.json")
    path.write_text(json.dumps({"evidence": world.evidence_for_output().to_json()}))
    return path


def test_what_verifies_is_frozen_evidence(text: Path, answer: Path, world: World) -> None:
    found = verify(text, evidence=answer, trust=world.trust)
    assert isinstance(found, Verified)
    assert found.match is Match.IDENTICAL
    assert found.checkpoint is not None
    assert found.checkpoint.project == "alice/tiny"
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.kind = "another"  # type: ignore[misc] # that it cannot be set is what is tested


def test_what_does_not_is_an_error_with_its_step(text: Path, answer: Path, world: World) -> None:
    text.write_bytes(b"another")
    with pytest.raises(TextMismatch) as caught:
        verify(text, evidence=answer, trust=world.trust)
    assert (caught.value.code, caught.value.exit_code) == ("text-mismatch", 21)
    assert caught.value.step is not None
    assert caught.value.step.code == "text"
    assert caught.value.passed


def test_what_was_pinned_counts_where_no_root_is_given(
    text: Path, answer: Path, world: World
) -> None:
    with pytest.raises(NoTrustRoot):
        verify(text, evidence=answer)
    Pins.of_user().add(Pinned(root=world.trust, pinned_at=AT, pinned_from="a test"))
    assert verify(str(text), evidence=str(answer)).kind == "output"


def test_what_is_demanded_may_be_said(text: Path, answer: Path, world: World) -> None:
    late = Demands(as_of=AT + timedelta(days=9999))
    with pytest.raises(RevocationUnknown):
        verify(text, evidence=answer, trust=world.trust, demanded=late)


def test_a_folder_is_compared_with_its_evidence(text: Path, world: World) -> None:
    folder = text.parent / "step-100"
    folder.mkdir()
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    evidence = text.with_name("step-100.assay.json")
    evidence.write_bytes(world.evidence_for_checkpoint().canonical())
    assert verify(folder, trust=world.trust).kind == "checkpoint"
    (folder / "config.json").write_bytes(b"{}")
    with pytest.raises(FileMismatch):
        verify(folder, trust=world.trust)


def test_a_pack_speaks_for_its_own_time(text: Path, world: World) -> None:
    path = text.with_name("pack")
    one = Artifact(evidence=world.evidence_for_output())
    path.write_bytes(Pack(trust=world.trust, artifacts=(one,)).canonical())
    with pytest.raises(NotWitnessed):
        verify(path, trust=world.trust)
    now = Demands(as_of=AT, is_said=True)
    assert verify(path, trust=world.trust, demanded=now).match is Match.NOT_COMPARED
    assert verify(text, evidence=path, trust=world.trust, demanded=now).match is Match.IDENTICAL
    two = Artifact(evidence=world.evidence_for_checkpoint())
    path.write_bytes(Pack(trust=world.trust, artifacts=(one, two)).canonical())
    with pytest.raises(MissingEvidence, match="found a pack about 2"):
        verify(path, trust=world.trust, demanded=now)


def test_an_answer_in_memory_is_verified_there(world: World) -> None:
    evidence = world.evidence_for_output().to_json()
    answer: dict[str, object] = {"text": TEXT, "evidence": evidence}
    assert verify_answer(answer, trust=world.trust).match is Match.IDENTICAL
    assert verify_answer(evidence, trust=world.trust).match is Match.NOT_COMPARED
    assert verify_answer(evidence, content=TEXT, trust=world.trust).match is Match.IDENTICAL
    shown = f"{TEXT}  ".encode()
    assert verify_answer(answer, content=shown, trust=world.trust).match is Match.NORMALISED


@pytest.mark.parametrize("shown", ["another", "half a pair: \ud800"])
def test_what_is_shown_is_held_to_the_answer(world: World, shown: str) -> None:
    answer: dict[str, object] = {"text": TEXT, "evidence": world.evidence_for_output().to_json()}
    with pytest.raises(TextMismatch):
        verify_answer(answer, content=shown, trust=world.trust)
    with pytest.raises(TextMismatch):
        verify_answer({**answer, "text": shown}, trust=world.trust)


def test_only_answers_about_outputs_are_verified_so(world: World) -> None:
    with pytest.raises(MissingEvidence, match="that of: checkpoint"):
        verify_answer(world.evidence_for_checkpoint().to_json(), trust=world.trust)
    with pytest.raises(InvalidDocument, match=r"^evidence\.type"):
        verify_answer({}, trust=world.trust)


def test_a_trust_root_is_read_from_its_file(text: Path, world: World) -> None:
    path = text.with_name("root.json")
    path.write_bytes(world.trust.canonical())
    assert trust_root(path) == world.trust
    with pytest.raises(InvalidDocument):
        trust_root(text)
    with pytest.raises(AssayError, match="No such file"):
        trust_root(text.with_name("nothing"))
