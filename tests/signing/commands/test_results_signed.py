# SPDX-License-Identifier: Apache-2.0
"""`assay results` calls signed only what was handed in, or taken back, to each member of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from assay.signing import canonical
from assay.signing.commands.pins import Pins
from assay.signing.evidence import Evidence
from assay.signing.statements import Metric, Result
from tests.signing.client.registry import Answer, Seen
from tests.signing.commands.desk import TOKEN, Desk
from tests.signing.commands.office import NAME, PATH, Json, Office, hand_in, handed, opened
from tests.signing.evaluating import ID, evidence_for_evaluation, withdrawn
from tests.signing.world import AT


@pytest.fixture
def office(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setenv("ASSAY_TOKEN", TOKEN)
    with opened(desk) as office:
        yield office


DIFFERENCES: dict[str, Callable[[Result], Result]] = {
    "task": lambda result: replace(result, task="other"),
    "dataset.name": lambda result: replace(result, dataset=replace(result.dataset, name="other")),
    "dataset.sha256": lambda result: replace(
        result, dataset=replace(result.dataset, sha256="00" * 32)
    ),
    "harness.name": lambda result: replace(result, harness=replace(result.harness, name="other")),
    "harness.version": lambda result: replace(result, harness=replace(result.harness, version="9")),
    "harness.commit": lambda result: replace(result, harness=replace(result.harness, commit=None)),
    "config.sha256": lambda result: replace(result, config_sha256=None),
    "evaluated_at": lambda result: replace(result, evaluated_at=AT),
    "metrics.acc.value": lambda result: replace(
        result, metrics=(replace(result.metrics[0], value="0.99"), *result.metrics[1:])
    ),
    "metrics.acc.standard_error": lambda result: replace(
        result, metrics=(replace(result.metrics[0], standard_error=None), *result.metrics[1:])
    ),
    "metrics.p_value.value": lambda result: replace(result, metrics=result.metrics[:-1]),
    "metrics.zero.value": lambda result: replace(
        result, metrics=(*result.metrics, Metric(name="zero", value="0"))
    ),
}


@pytest.mark.parametrize("member", DIFFERENCES)
def test_what_was_signed_is_what_was_handed_in_to_each_member(
    desk: Desk, office: Office, member: str
) -> None:
    altered = DIFFERENCES[member]
    office.altered = lambda claim: replace(claim, result=altered(claim.result))
    code, out, err = hand_in(desk, office, "--data", "cd" * 32)
    assert (code, out, f"expected {member} signed as it was handed in" in err) == (22, "", True)


def test_it_is_signed_in_the_name_that_was_named(desk: Desk, office: Office) -> None:
    office.signer = "bob"
    words = ("--data", "cd" * 32, "--by")
    code, out, err = hand_in(desk, office, *words, "lab")
    said = f"expected by signed as it was handed in, '{desk.world.registry}/lab', found"
    assert (code, out, said in err) == (22, "", True), err
    code, out, _ = hand_in(desk, office, *words, "bob")
    assert (code, f"signed by {desk.world.registry}/bob" in " ".join(out.split())) == (0, True)


def test_evidence_of_another_evaluation_is_refused(desk: Desk, office: Office) -> None:
    office.altered = lambda claim: replace(claim, evaluation="another")
    code, _, err = hand_in(desk, office, "--data", "cd" * 32)
    assert (code, "found another evaluation's" in err) == (22, True)


def test_what_does_not_verify_is_not_called_signed(desk: Desk, office: Office) -> None:
    def without_conduct(seen: Seen) -> Answer:
        answer = office.sign(seen)
        path = f"{PATH}/{json.loads(answer.body)['id']}/evidence"
        document: Json = canonical.loads(office.registry.routes["GET", path].body)
        del document["bundles"]["conduct"]
        office.registry.on("GET", path, Answer(body=canonical.dumps(document)))
        return answer

    office.registry.made["POST", PATH] = without_conduct
    code, out, _ = hand_in(desk, office, "--data", "cd" * 32)
    assert (code, "Not verified" in out, "Signed, in the ledger" in out) == (24, True, False)
    code, out, _ = hand_in(desk, office, "--data", "cd" * 32, "--json")
    (first, _) = json.loads(out)["results"]
    assert (code, first["verified"]) == (24, False)
    assert first["verdict"]["error"]["code"] == "missing-evidence"


def test_while_the_ledger_is_away_nothing_is_called_verified(desk: Desk, office: Office) -> None:
    office.said = {"state": "received"}
    code, out, _ = hand_in(desk, office, "--data", "cd" * 32)
    said = " ".join(out.split())
    assert (code, "Handed in; not verified here." in said) == (0, True)
    assert "hellaswag; acc 0.2504480183230432 ± 0.004323856300539177" in said
    assert "its ledger does not include all of it yet" in said
    assert "assay trust add" not in said


def test_without_a_pinned_root_it_is_said_how_to_verify(desk: Desk, office: Office) -> None:
    (pin,) = Pins.of_user().all()
    Pins.of_user().remove(pin)
    code, out, _ = hand_in(desk, office, "--data", "cd" * 32)
    assert (code, "Handed in; not verified here." in out) == (0, True)
    assert "To verify: assay trust add URL, then this command again" in " ".join(out.split())


def test_figures_are_those_that_were_signed(desk: Desk, office: Office) -> None:
    _, out, _ = hand_in(desk, office, "--data", "cd" * 32)
    assert ("acc 0.2504480183230432" in out, "0.99" in out) == (True, False)
    _, out, _ = hand_in(desk, office, "--data", "cd" * 32, "--json")
    first, second = json.loads(out)["results"]
    assert first["handed_in"]["task"] == first["verdict"]["evaluation"]["task"] == "hellaswag"
    assert second["handed_in"]["metrics"] == second["verdict"]["evaluation"]["metrics"]
    assert (first["verified"], "0.99" in out) == (True, False)


@pytest.mark.parametrize("missing", ["id", "state", "url"])
def test_an_answer_that_lacks_something_is_said(desk: Desk, office: Office, missing: str) -> None:
    office.said = {missing: None}
    code, _, err = hand_in(desk, office, "--data", "cd" * 32)
    assert (code, f"answer.{missing}: expected a value, found no such" in err) == (10, True), err


def test_what_was_taken_back_since_is_not_simply_verified(desk: Desk, office: Office) -> None:
    office.is_withdrawn, office.said = True, {"state": "withdrawn"}
    code, out, _ = hand_in(desk, office, "--data", "cd" * 32)
    said = " ".join(out.split())
    assert (code, "/bob has withdrawn this evaluation since, as mistaken." in said) == (0, True)
    assert "and verified; but read on above." in said
    _, out, _ = hand_in(desk, office, "--data", "cd" * 32, "--json")
    assert "as mistaken" in json.loads(out)["results"][0]["verdict"]["withdrawn"]


def take_back(
    desk: Desk, office: Office, *more: object, evidence: Evidence | None = None
) -> tuple[int, str, str]:
    office.said = {"state": "withdrawn", **office.said}
    answer = office.show(ID, withdrawn(desk.world) if evidence is None else evidence)
    office.registry.on("POST", f"{PATH}/{ID}/withdrawal", answer)
    return desk.assay("results", NAME, "--registry", office.url, "--withdraw", ID, *more)


def test_one_is_taken_back(desk: Desk, office: Office) -> None:
    code, out, err = take_back(desk, office, "--reason", "mistaken")
    said = " ".join(out.split())
    assert (code, err) == (0, "")
    assert "hellaswag; acc 0.2504 ± 0.0043; acc_norm 0.2511" in said
    assert "/bob has withdrawn this evaluation since, as mistaken." in said
    assert said.endswith("Signed, in the ledger, and verified.")
    _, out, _ = take_back(desk, office, "--reason", "mistaken", "--json")
    (document,) = json.loads(out)["results"]
    assert (document["verified"], document["handed_in"]) == (True, {"reason": "mistaken"})
    assert handed(office) == [{"reason": "mistaken"}] * 2


def test_the_withdrawal_that_was_signed_is_the_one_that_was_asked_for(
    desk: Desk, office: Office
) -> None:
    code, out, err = take_back(desk, office, "--reason", "superseded")
    said = "expected reason signed as it was handed in, 'superseded', found 'mistaken'"
    assert (code, out, said in err) == (22, "", True), err
    standing = evidence_for_evaluation(desk.world)
    code, out, err = take_back(desk, office, "--reason", "mistaken", evidence=standing)
    assert (code, out, "'mistaken', found nothing" in err) == (22, "", True), err


def test_another_evaluation_taken_back_is_not_the_one_that_was_meant(
    desk: Desk, office: Office
) -> None:
    answer = office.show(ID, withdrawn(desk.world))
    office.said = {"state": "withdrawn"}
    office.show(ID, withdrawn(desk.world))
    other = "00000000-0000-4000-8000-000000000000"
    office.registry.on("POST", f"{PATH}/{other}/withdrawal", answer)
    words = ("--registry", office.url, "--withdraw", other, "--reason", "mistaken")
    code, _, err = desk.assay("results", NAME, *words)
    assert (code, "expected evaluation signed as it was handed in" in err) == (22, True), err


def test_a_withdrawal_that_the_ledger_does_not_include_yet_is_not_verified(
    desk: Desk, office: Office
) -> None:
    office.said = {"state": "published"}
    standing = evidence_for_evaluation(desk.world)
    code, out, _ = take_back(desk, office, "--reason", "mistaken", evidence=standing)
    said = " ".join(out.split())
    assert (code, f"evaluation {ID}" in said) == (0, True)
    assert "Handed in; not verified here." in said


def test_what_is_taken_back_is_named_by_its_id(desk: Desk, office: Office) -> None:
    words = ("results", NAME, "--registry", office.url, "--reason", "mistaken", "--withdraw")
    code, _, err = desk.assay(*words, "../../x")
    assert (code, "--withdraw: expected an evaluation's id" in err) == (10, True)
    assert not office.registry.seen


@pytest.mark.parametrize(
    "words",
    [
        (NAME,),
        (NAME, "--withdraw", ID),
        ("x.json", NAME, "--withdraw", ID, "--reason", "mistaken"),
        ("x.json", NAME, "--reason", "mistaken"),
        (NAME, "--withdraw", ID, "--reason", "mistaken", "--by", "lab"),
        (NAME, "--withdraw", ID, "--reason", "mistaken", "--data", "cd" * 32),
    ],
)
def test_words_that_do_not_go_together_are_refused(desk: Desk, words: tuple[str, ...]) -> None:
    assert desk.assay("results", *words)[0] == 2
