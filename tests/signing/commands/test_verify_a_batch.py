# SPDX-License-Identifier: Apache-2.0
"""`assay verify` of an output of a batch: its proof, and the evidence of the whole batch."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.signing.batching import TEXTS, evidence_for_batch, proof_of
from tests.signing.commands.desk import Desk
from tests.signing.world import AT, World

INDEX = 2


@pytest.fixture
def words(desk: Desk) -> tuple[str, Path, str, Path, str, Path]:
    """A text, the batch's evidence, and the text's proof."""
    desk.pin()
    evidence = evidence_for_batch(desk.world)
    text, proof = desk.folder / "text.txt", desk.folder / "text.tlog-proof"
    text.write_text(TEXTS[INDEX], encoding="utf-8")
    proof.write_text(proof_of(desk.world, evidence, INDEX).text(), encoding="utf-8")
    given = desk.write("batch.json", evidence)
    return "verify", text, "--evidence", given, "--proof", proof


def test_it_says_whose_word_the_output_is(
    desk: Desk, words: tuple[str, Path, str, Path, str, Path]
) -> None:
    code, out, _ = desk.assay(*words)
    said = " ".join(out.split())
    assert code == 0
    assert "proof output 2 of 5" in said
    assert "/bob says that this text, to the byte, was made from the checkpoint" in said
    assert "Nobody else saw it being made." in said


def test_another_text_is_none_of_the_batch(
    desk: Desk, words: tuple[str, Path, str, Path, str, Path]
) -> None:
    words[1].write_text("another\n", encoding="utf-8")
    assert desk.assay(*words)[0] == 21


def test_the_checkpoints_files_are_compared(
    desk: Desk, words: tuple[str, Path, str, Path, str, Path]
) -> None:
    folder = desk.checkpoint()
    assert desk.assay(*words, "--checkpoint", folder)[0] == 0
    (folder / "config.json").write_text("{}")
    assert desk.assay(*words, "--checkpoint", folder)[0] == 20


def test_a_batch_alone_says_which_file_is_missing(
    desk: Desk, words: tuple[str, Path, str, Path, str, Path]
) -> None:
    for alone in (words[:4], ("verify", words[3])):
        code, _, err = desk.assay(*alone)
        assert code == 24
        assert "is the evidence of a batch of outputs: name one of them and its proof too" in err


def test_words_that_do_not_go_together_are_refused(
    desk: Desk, words: tuple[str, Path, str, Path, str, Path]
) -> None:
    code, _, err = desk.assay("verify", words[1], "--proof", words[5])
    assert (code, "--proof goes with --evidence" in err) == (2, True)
    code, _, err = desk.assay("verify", desk.checkpoint(), "--proof", words[5])
    assert (code, "--proof goes with an output, and not with a folder" in err) == (2, True)


def test_a_file_that_is_no_proof_is_refused(
    desk: Desk, words: tuple[str, Path, str, Path, str, Path]
) -> None:
    for content, found in ((b"\xff", "expected UTF-8 text"), (b"proof\n", "tlog-proof@v1")):
        words[5].write_bytes(content)
        code, _, err = desk.assay(*words)
        assert (code, found in err) == (10, True), err


def test_a_batch_of_a_registry_that_is_not_pinned_is_refused_first(desk: Desk) -> None:
    desk.pin(World.create(at=AT, registry="http://other.test"))
    evidence = evidence_for_batch(desk.world)
    text, proof = desk.folder / "text.txt", desk.folder / "text.tlog-proof"
    text.write_text(TEXTS[INDEX], encoding="utf-8")
    proof.write_text(proof_of(desk.world, evidence, INDEX).text(), encoding="utf-8")
    given = desk.write("batch.json", evidence)
    assert desk.assay("verify", text, "--evidence", given, "--proof", proof)[0] == 23
