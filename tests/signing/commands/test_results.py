# SPDX-License-Identifier: Apache-2.0
"""`assay results` hands in what a harness wrote, number by number, and verifies it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from assay.signing import canonical
from assay.signing.commands import harness
from tests.signing.client.registry import Answer, Loopback, loopback
from tests.signing.commands.desk import TOKEN, Desk
from tests.signing.evaluating import ID, evaluation_claim, evidence_for_evaluation, with_part

Json: TypeAlias = Any
NAME = "alice/tiny@step-100"
PATH = "/api/v1/projects/alice/tiny/checkpoints/step-100/evaluations"
# As lm-evaluation-harness 0.4.9 writes it (loggers/evaluation_tracker.py), cut to what is read.
LM_EVAL: Json = {
    "results": {
        "hellaswag": {
            "alias": "hellaswag",
            "acc,none": 0.2504480183230432,
            "acc_stderr,none": 0.004323856300539177,
            "acc_norm,none": 1e-05,
            "acc_norm_stderr,none": "N/A",
            "p_value,none": 1.25e-20,
        },
        "gsm8k": {"alias": "gsm8k", "exact_match,strict-match": 0, "ok": True},
        "mmlu": {"alias": "mmlu", "acc,none": 0.2294},
        "odd": {"alias": "odd"},
    },
    "groups": {"mmlu": {"alias": "mmlu", "acc,none": 0.2294}},
    "configs": {
        "hellaswag": {"task": "hellaswag", "dataset_path": "Rowan/hellaswag"},
        "gsm8k": {"task": "gsm8k", "dataset_path": "openai/gsm8k", "dataset_name": "main"},
        "odd": {},
    },
    "versions": {"hellaswag": 1.0, "gsm8k": 3.0},
    "n-shot": {"hellaswag": 0, "gsm8k": 5},
    "config": {"model": "hf", "model_args": "pretrained=x", "temperature": 0.5},
    "git_hash": "97a5e2c",
    "date": 1763717400.25,
    "lm_eval_version": "0.4.9.1",
    "task_hashes": {"hellaswag": "ab" * 32},
}


@pytest.fixture
def office(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    """A registry that signs what it is handed, always with the same answer."""
    monkeypatch.setenv("ASSAY_TOKEN", TOKEN)
    desk.pin()
    with loopback() as registry:
        said = {
            "id": ID,
            "state": "published",
            "task": "hellaswag",
            "metrics": [{"name": "acc", "value": "0.2504", "standard_error": "0.0043"}],
            "url": f"http://registry.test{PATH}/{ID}",
        }
        registry.on_json("POST", PATH, {"id": ID}, status=201)
        registry.on_json("GET", f"{PATH}/{ID}", said)
        evidence = evidence_for_evaluation(desk.world).canonical()
        registry.on("GET", f"{PATH}/{ID}/evidence", Answer(body=evidence))
        yield registry


def results(desk: Desk, document: Json = LM_EVAL) -> Path:
    path = desk.folder / "results.json"
    path.write_text(json.dumps(document))
    return path


def handed(office: Loopback) -> list[Json]:
    return [json.loads(each.body) for each in office.seen if each.method == "POST"]


def hand_in(
    desk: Desk, office: Loopback, *more: object, document: Json = LM_EVAL
) -> tuple[int, str, str]:
    path = results(desk, document)
    return desk.assay("results", path, NAME, "--registry", office.url, *more)


def hand_in_number(
    desk: Desk, office: Loopback, number: str, instead_of: str = "0.2504480183230432"
) -> tuple[int, str, str]:
    """The same file with another number in it, as it is written."""
    text = json.dumps(LM_EVAL)
    assert text.count(instead_of) == 1
    path = desk.folder / "results.json"
    path.write_text(text.replace(instead_of, number))
    words = ("--registry", office.url, "--data", "cd" * 32)
    return desk.assay("results", path, NAME, *words)


def test_each_task_is_handed_in_with_exact_numbers(desk: Desk, office: Loopback) -> None:
    code, out, _ = hand_in(desk, office, "--data", f"gsm8k={'cd' * 32}", "--by", "lab")
    assert code == 0
    first, second = handed(office)
    assert first["metrics"] == [
        {"name": "acc", "value": "0.2504480183230432", "standard_error": "0.004323856300539177"},
        {"name": "acc_norm", "value": "0.00001", "standard_error": None},
        {"name": "p_value", "value": "0.00000000000000000001", "standard_error": None},
    ]
    assert first["dataset"] == {"name": "Rowan/hellaswag", "sha256": "ab" * 32}
    assert first["harness"] == {
        "name": "lm-evaluation-harness",
        "version": "0.4.9.1",
        "commit": "97a5e2c",
    }
    assert (first["evaluated_at"], first["by"]) == ("2025-11-21T09:30:00Z", "lab")
    assert second["metrics"][0]["name"] == "exact_match,strict-match"
    assert second["dataset"] == {"name": "openai/gsm8k main", "sha256": "cd" * 32}
    assert first["config"] != second["config"]
    said = " ".join(out.split())
    assert "hellaswag; acc 0.2504 ± 0.0043" in said
    assert "mmlu is left out: a group: its tasks are handed in each for itself" in said
    assert "odd is left out: no metric with a number" in said
    assert "Signed, in the ledger, and verified." in said


def test_the_same_again_goes_under_the_same_key(desk: Desk, office: Loopback) -> None:
    keys = []
    for _ in range(2):
        hand_in(desk, office, "--data", "cd" * 32)
        keys.append([e.headers["Idempotency-Key"] for e in office.seen if e.method == "POST"])
        office.seen.clear()
    assert keys[0] == keys[1]
    assert len(set(keys[0])) == 2


def test_a_result_in_the_apis_own_form_is_handed_in(desk: Desk, office: Loopback) -> None:
    stated = {"task": "mine", "metrics": [{"name": "f1", "value": 0.5}, "x"], "rest": [1]}
    assert hand_in(desk, office, document=stated)[0] == 0
    assert handed(office) == [
        {"task": "mine", "metrics": [{"name": "f1", "value": "0.5"}, "x"], "rest": [1]}
    ]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"task_hashes": {}}, "task_hashes.hellaswag: expected a digest of the data"),
        ({"lm_eval_version": None}, "lm_eval_version: expected one, or --harness-version"),
        ({"date": "today"}, "date: expected seconds since 1970"),
        ({"date": 10**30}, "date: expected seconds since 1970, found 1.000e+30"),
        ({"date": -1}, "date: expected seconds since 1970"),
        ({"date": True}, "date: expected seconds since 1970, found bool"),
        ({"results": {}}, "results: expected a task with a number, found none"),
        ({"results": []}, "results: expected those of lm-evaluation-harness, or a task"),
        ({"configs": []}, "results: expected a task with a number, found none"),
        ({"task": "x"}, "metrics: expected an array, found NoneType"),
    ],
)
def test_what_a_file_does_not_say_is_asked_for(
    desk: Desk, office: Loopback, changed: Json, said: str
) -> None:
    code, _, err = hand_in(desk, office, document={**LM_EVAL, **changed})
    assert (code, f"results.json.{said}" in err) == (10, True), err
    assert not handed(office)


@pytest.mark.parametrize("content", [b"{", b"[" * 100_000, b"\xff", b"7"])
def test_a_file_of_no_results_is_said(desk: Desk, office: Loopback, content: bytes) -> None:
    path = desk.folder / "results.json"
    path.write_bytes(content)
    assert desk.assay("results", path, NAME, "--registry", office.url)[0] == 10
    assert desk.assay("results", desk.folder / "none", NAME)[0] == 30


def test_a_file_that_is_too_large_is_not_read(
    desk: Desk, office: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harness, "MAX_FILE_BYTES", 100)
    assert hand_in(desk, office)[0] == 10


@pytest.mark.parametrize(
    ("number", "handed_in"),
    [
        ("123456789.123456789012345678901", "123456789.1234567890123456789"),
        ("99999999999999999999.123456789012345678901", "99999999999999999999.1234567890123456789"),
        ("-1e19", "-10000000000000000000"),
        ("1e-400000000", "0"),
        ("0e400000000", "0"),
        ("0.250", "0.25"),
    ],
)
def test_a_number_of_many_digits_is_rounded_to_twenty_places(
    desk: Desk, office: Loopback, number: str, handed_in: str
) -> None:
    assert hand_in_number(desk, office, number)[0] == 0
    assert handed(office)[0]["metrics"][0]["value"] == handed_in


@pytest.mark.parametrize(
    ("number", "found"),
    [
        ("1e20", "1.000e+20"),
        ("-1e400000000", "-1.000e+400000000"),
        ("99999999999999999999.999999999999999999999", "1.000e+20"),
        ("1" * 21, "1.111e+20"),
    ],
)
def test_a_number_that_the_format_cannot_hold_is_refused(
    desk: Desk, office: Loopback, number: str, found: str
) -> None:
    code, _, err = hand_in_number(desk, office, number)
    said = f"expected at most 20 digits before the point, found {found}"
    assert (code, said in err) == (10, True), err
    assert not handed(office)


def test_a_number_that_nothing_can_hold_is_refused(desk: Desk, office: Loopback) -> None:
    code, _, err = hand_in_number(desk, office, "1e9999999999999999999")
    assert (code, "expected numbers that can be computed with" in err) == (10, True), err


def test_a_date_that_no_calendar_has_is_refused(desk: Desk, office: Loopback) -> None:
    code, _, err = hand_in_number(desk, office, "1e400000000", instead_of="1763717400.25")
    assert (code, "date: expected seconds since 1970, found 1.000e+4" in err) == (10, True), err


def test_a_version_may_be_said_and_a_tag_is_no_commit(desk: Desk, office: Loopback) -> None:
    document = {**LM_EVAL, "lm_eval_version": None, "git_hash": "v0.4.9-3-g97a5e2c"}
    words = ("--data", "cd" * 32, "--harness-version", "0.5")
    assert hand_in(desk, office, *words, document=document)[0] == 0
    assert handed(office)[0]["harness"]["version"] == "0.5"
    assert handed(office)[0]["harness"]["commit"] is None


def test_evidence_of_another_evaluation_is_refused(desk: Desk, office: Loopback) -> None:
    evidence = evidence_for_evaluation(desk.world)
    other = replace(evaluation_claim(desk.world, evidence), evaluation="another")
    whole = with_part(desk.world, evidence, "evaluation", other, "bob").canonical()
    office.on("GET", f"{PATH}/{ID}/evidence", Answer(body=whole))
    code, _, err = hand_in(desk, office, "--data", "cd" * 32)
    assert (code, "found another evaluation's" in err) == (22, True)


def test_what_does_not_verify_is_not_called_signed(desk: Desk, office: Loopback) -> None:
    document: Json = canonical.loads(evidence_for_evaluation(desk.world).canonical())
    del document["bundles"]["conduct"]
    office.on("GET", f"{PATH}/{ID}/evidence", Answer(body=canonical.dumps(document)))
    code, out, _ = hand_in(desk, office, "--data", "cd" * 32)
    assert (code, "Signed, in the ledger" in out) == (24, False)


def test_while_the_ledger_is_away_nothing_is_called_verified(desk: Desk, office: Loopback) -> None:
    said = json.loads(office.routes["GET", f"{PATH}/{ID}"].body)
    office.on_json("GET", f"{PATH}/{ID}", {**said, "state": "received"})
    code, out, _ = hand_in(desk, office, "--data", "cd" * 32)
    assert (code, "Handed in; not verified here." in out) == (0, True)


def test_one_is_taken_back(desk: Desk, office: Loopback) -> None:
    office.on_json("POST", f"{PATH}/{ID}/withdrawal", {"id": ID})
    words = ("--registry", office.url, "--withdraw", ID, "--reason", "mistaken", "--json")
    code, out, _ = desk.assay("results", NAME, *words)
    assert code == 0
    assert json.loads(out)["results"][0]["verified"] is True
    assert handed(office) == [{"reason": "mistaken"}]


@pytest.mark.parametrize(
    "words",
    [
        (NAME,),
        (NAME, "--withdraw", ID),
        ("x.json", NAME, "--withdraw", ID, "--reason", "mistaken"),
        ("x.json", NAME, "--reason", "mistaken"),
    ],
)
def test_words_that_do_not_go_together_are_refused(desk: Desk, words: tuple[str, ...]) -> None:
    assert desk.assay("results", *words)[0] == 2


def test_a_name_or_a_digest_that_is_none_is_refused(desk: Desk, office: Loopback) -> None:
    assert desk.assay("results", results(desk), "alice/tiny")[0] == 10
    assert hand_in(desk, office, "--data", "hellaswag=x")[0] == 10
