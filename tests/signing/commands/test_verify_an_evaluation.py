# SPDX-License-Identifier: Apache-2.0
"""`assay verify` of an evaluation: whose word the figures are, and whether it was taken back."""

from __future__ import annotations

import json

from tests.signing.commands.desk import Desk, words_of
from tests.signing.evaluating import evaluation_claim, evidence_for_evaluation, withdrawn
from tests.signing.world import AT, World

NAME = "evaluation.json"


def test_it_says_whose_word_the_figures_are(desk: Desk) -> None:
    desk.pin()
    path = desk.write(NAME, evidence_for_evaluation(desk.world))
    code, out, _ = desk.assay("verify", path)
    said = words_of(out)
    assert code == 0
    assert "hellaswag on Rowan/hellaswag: acc 0.2504, by lm-evaluation-harness 0.4.9" in said
    assert "evaluation → checkpoint of alice/tiny@step-100" in said
    assert "/bob says that the checkpoint alice/tiny@step-100" in said
    assert "acc 0.2504 ± 0.0043; acc_norm 0.2511. Nobody else measured it here." in said


def test_what_was_taken_back_is_said_to_be(desk: Desk) -> None:
    desk.pin()
    code, out, err = desk.assay("verify", desk.write(NAME, withdrawn(desk.world)))
    said = " ".join(out.split())
    assert code == 0
    assert "Verified, and WITHDRAWN by whoever said it." in said
    assert said.count("/bob has withdrawn this evaluation since, as mistaken.") == 1
    assert "! http" in err
    assert "/bob has withdrawn this evaluation since, as mistaken." in err


def test_the_checkpoints_files_are_compared(desk: Desk) -> None:
    desk.pin()
    path, folder = desk.write(NAME, evidence_for_evaluation(desk.world)), desk.checkpoint()
    assert desk.assay("verify", path, "--checkpoint", folder)[0] == 0
    (folder / "config.json").write_text("{}")
    assert desk.assay("verify", path, "--checkpoint", folder)[0] == 20


def test_for_programs_both_parts_are_there(desk: Desk) -> None:
    desk.pin()
    _, out, err = desk.assay("verify", desk.write(NAME, withdrawn(desk.world)), "--json")
    document = json.loads(out)
    parts = [each["part"] for each in document["parts"]]
    assert parts[:3] == ["evaluation", "withdrawal", "checkpoint"]
    assert document["withdrawn"].endswith("/bob has withdrawn this evaluation since, as mistaken.")
    assert document["withdrawn"] in err


def test_programs_are_told_the_figures(desk: Desk) -> None:
    desk.pin()
    evidence = evidence_for_evaluation(desk.world)
    _, out, err = desk.assay("verify", desk.write(NAME, evidence), "--json")
    document = json.loads(out)
    claim = evaluation_claim(desk.world, evidence)
    assert document["evaluation"] == {"id": claim.evaluation, **claim.result.to_json()}
    assert document["evaluation"]["metrics"][0] == {
        "name": "acc",
        "value": "0.2504",
        "standard_error": "0.0043",
    }
    assert ("withdrawn" in document, err) == (False, "")


def test_an_evaluation_of_a_registry_that_is_not_pinned_is_refused_first(desk: Desk) -> None:
    desk.pin(World.create(at=AT, registry="http://other.test"))
    path = desk.write(NAME, evidence_for_evaluation(desk.world))
    assert desk.assay("verify", path)[0] == 23
