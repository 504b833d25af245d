# SPDX-License-Identifier: Apache-2.0
"""`assay results` hands in what a harness wrote, number by number, or refuses to."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from assay.signing.commands import harness
from tests.signing.commands.desk import TOKEN, Desk
from tests.signing.commands.office import (
    LM_EVAL,
    NAME,
    Json,
    Office,
    hand_in,
    handed,
    opened,
    results,
)


@pytest.fixture
def office(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setenv("ASSAY_TOKEN", TOKEN)
    with opened(desk) as office:
        yield office


def hand_in_number(
    desk: Desk, office: Office, number: str, instead_of: str = "0.2504480183230432"
) -> tuple[int, str, str]:
    """The same file with another number in it, as it is written."""
    text = json.dumps(LM_EVAL)
    assert text.count(instead_of) == 1
    path = desk.folder / "results.json"
    path.write_text(text.replace(instead_of, number))
    words = ("--registry", office.url, "--data", "cd" * 32)
    return desk.assay("results", path, NAME, *words)


def test_each_task_is_handed_in_with_exact_numbers(desk: Desk, office: Office) -> None:
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
    assert "hellaswag; acc 0.2504480183230432 ± 0.004323856300539177" in said
    assert "mmlu is left out: a group: its tasks are handed in each for itself" in said
    assert "odd is left out: no metric with a number" in said
    assert "Signed, in the ledger, and verified." in said


def test_the_same_again_goes_under_the_same_key(desk: Desk, office: Office) -> None:
    keys = []
    for _ in range(2):
        hand_in(desk, office, "--data", "cd" * 32)
        keys.append(
            [e.headers["Idempotency-Key"] for e in office.registry.seen if e.method == "POST"]
        )
        office.registry.seen.clear()
    assert keys[0] == keys[1]
    assert len(set(keys[0])) == 2


OWN: Json = {
    "task": "mine",
    "dataset": {"name": "mine", "sha256": "ab" * 32},
    "harness": {"name": "ours", "version": "1"},
    "metrics": [{"name": "f1", "value": 0.5}, {"name": "em", "value": "0.250"}],
    "evaluated_at": "2026-11-20T09:30:00Z",
    "by": "lab",
}


def test_a_result_in_the_apis_own_form_is_handed_in(desk: Desk, office: Office) -> None:
    code, out, err = hand_in(desk, office, document=OWN)
    assert (code, "mine; em 0.250; f1 0.5" in " ".join(out.split())) == (0, True), err
    assert handed(office) == [
        {
            **OWN,
            "harness": {"name": "ours", "version": "1", "commit": None},
            "config": None,
            "metrics": [
                {"name": "em", "value": "0.250", "standard_error": None},
                {"name": "f1", "value": "0.5", "standard_error": None},
            ],
        }
    ]
    hand_in(desk, office, "--by", "other", document=OWN)
    assert handed(office)[1]["by"] == "other"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"rest": 1.5}, "'rest': expected no such field"),
        ({"metrics": ["x"]}, "metrics.metric: expected an object"),
        ({"metrics": [{"name": 1, "value": 1}]}, "metrics.name: expected a string"),
        ({"metrics": [{"name": "a", "value": 1e400}]}, "metrics.value: expected a string"),
        ({"by": 1}, "by: expected a string"),
        ({"dataset": {"name": "x", "sha256": "x"}}, "dataset.sha256: expected 64"),
    ],
)
def test_what_is_no_result_is_said_before_it_is_sent(
    desk: Desk, office: Office, changed: Json, said: str
) -> None:
    code, _, err = hand_in(desk, office, document={**OWN, **changed})
    assert (code, f"results.json.{said}" in err) == (10, True), err
    assert not office.registry.seen


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
    desk: Desk, office: Office, changed: Json, said: str
) -> None:
    code, _, err = hand_in(desk, office, document={**LM_EVAL, **changed})
    assert (code, f"results.json.{said}" in err) == (10, True), err
    assert not handed(office)


@pytest.mark.parametrize("content", [b"{", b"[" * 100_000, b"\xff", b"7"])
def test_a_file_of_no_results_is_said(desk: Desk, office: Office, content: bytes) -> None:
    path = desk.folder / "results.json"
    path.write_bytes(content)
    assert desk.assay("results", path, NAME, "--registry", office.url)[0] == 10
    assert desk.assay("results", desk.folder / "none", NAME)[0] == 30


def test_a_file_that_is_too_large_is_not_read(
    desk: Desk, office: Office, monkeypatch: pytest.MonkeyPatch
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
    desk: Desk, office: Office, number: str, handed_in: str
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
    desk: Desk, office: Office, number: str, found: str
) -> None:
    code, _, err = hand_in_number(desk, office, number)
    said = f"expected at most 20 digits before the point, found {found}"
    assert (code, said in err) == (10, True), err
    assert not handed(office)


def test_a_number_that_nothing_can_hold_is_refused(desk: Desk, office: Office) -> None:
    code, _, err = hand_in_number(desk, office, "1e9999999999999999999")
    assert (code, "expected numbers that can be computed with" in err) == (10, True), err


def test_a_date_that_no_calendar_has_is_refused(desk: Desk, office: Office) -> None:
    code, _, err = hand_in_number(desk, office, "1e400000000", instead_of="1763717400.25")
    assert (code, "date: expected seconds since 1970, found 1.000e+4" in err) == (10, True), err


def test_a_version_may_be_said_and_a_tag_is_no_commit(desk: Desk, office: Office) -> None:
    document = {**LM_EVAL, "lm_eval_version": None, "git_hash": "v0.4.9-3-g97a5e2c"}
    words = ("--data", "cd" * 32, "--harness-version", "0.5")
    assert hand_in(desk, office, *words, document=document)[0] == 0
    assert handed(office)[0]["harness"]["version"] == "0.5"
    assert handed(office)[0]["harness"]["commit"] is None


def test_a_name_or_a_digest_that_is_none_is_refused(desk: Desk, office: Office) -> None:
    assert desk.assay("results", results(desk), "alice/tiny")[0] == 10
    assert hand_in(desk, office, "--data", "hellaswag=x")[0] == 10
