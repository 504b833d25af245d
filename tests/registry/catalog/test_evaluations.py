# SPDX-License-Identifier: Apache-2.0
"""What somebody says a checkpoint achieved: signed in their name, shown to all, taken back."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient

from assay.signing import canonical
from assay.signing.certificates import Purpose
from assay.signing.evidence import Evidence
from assay.signing.statements import ConductReference, Statement
from assay.signing.verify import Basis, Verified, examine_evaluation
from registry.accounts.queries import Namespace
from registry.audit import queries as audit
from registry.audit.models import AuditRow
from registry.authority import services as authority_services
from registry.catalog import queries
from registry.catalog.models import Checkpoint, Visibility
from registry.catalog.models.evaluated import Evaluation
from registry.catalog.models.told import Happening
from registry.catalog.queries import evaluations
from registry.catalog.services import evaluating, governing, takedowns
from registry.catalog.services.takedowns import Order
from registry.catalog.tasks import sweep
from registry.conduct import services as conduct
from registry.ledger import queries as ledger_queries
from registry.ledger import services as ledger
from registry.ledger.errors import LedgerBusy
from registry.site import erasing
from tests.registry.catalog.weights import weights
from tests.registry.catalog.world import CARD, FILES, World, by_person, publish
from tests.registry.people import client_of, client_of_job, secret_of
from tests.registry.verifying import demands
from tests.running import Authority

pytestmark = pytest.mark.django_db
Answer: TypeAlias = Any  # of the test client, which has more than its stubs say
URL = "/api/v1/projects/lab/small/checkpoints/first/evaluations"
RESULT = {
    "task": "hellaswag",
    "dataset": {"name": "Rowan/hellaswag", "sha256": "ab" * 32},
    "harness": {"name": "lm-evaluation-harness", "version": "0.4.9", "commit": "97a5e2c"},
    "config": {"sha256": "cd" * 32},
    "metrics": [
        {"name": "acc_norm", "value": "0.2511", "standard_error": "0.0043"},
        {"name": "acc", "value": "0.2504"},
    ],
    "evaluated_at": "2026-11-20T09:30:00Z",
}


@pytest.fixture
def first(world: World) -> Checkpoint:
    conduct.accept(world.conduct, world.people.charlie.namespace, world.people.charlie)
    return publish(by_person(world))


def hand_in(client: APIClient, **changed: object) -> Answer:
    return client.post(URL, {**RESULT, **changed}, format="json")


def charlie(world: World) -> APIClient:
    return client_of(world.people.charlie, "publish")


def examined(authority: Authority, url: str) -> Verified:
    content = APIClient().get(url).content
    evidence = Evidence.parse(canonical.loads(content))
    basis = Basis(trust=authority.trust_root, requirements=demands())
    return examine_evaluation(evidence, basis=basis).verdict()


def test_what_anybody_says_verifies_offline_as_their_word(
    world: World, first: Checkpoint, authority: Authority
) -> None:
    answer = hand_in(charlie(world))
    assert answer.status_code == 201
    said = answer.json()
    assert (said["state"], said["by"], said["is_members"]) == ("published", "charlie", False)
    assert [each["name"] for each in said["metrics"]] == ["acc", "acc_norm"]
    found = examined(authority, f"{URL}/{said['id']}/evidence")
    assert found.parts[0].signer.endswith("/charlie")
    assert found.evaluation is not None
    assert found.evaluation.result.metrics[0].value == "0.2504"
    assert found.checkpoint is not None
    assert found.checkpoint.project == "lab/small"
    assert APIClient().get(URL).json()["results"] == [said]


def test_its_evidence_is_put_together_once_and_leaves_out_what_has_no_room(
    world: World, first: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = weights({f"{n:04}{'n' * 4000}": b"x" for n in range(20)})
    second = publish(by_person(world, "second", {**FILES, "model.safetensors": long}))
    url = URL.replace("/first/", "/second/")
    made = charlie(world).post(url, RESULT, format="json").json()["id"]
    row = evaluations.one(second, uuid.UUID(made))
    below = queries.evidence(second)
    with CaptureQueriesContext(connection) as asked:
        found = evaluations.evidence(row)
    assert found.tensors == below.tensors is not None
    for table in ("accounts_pseudonym", "authority_revocationlist", "ledger_treehead"):
        assert sum(table in each["sql"] for each in asked.captured_queries) == 1, table
    monkeypatch.setattr(canonical, "MAX_BYTES", len(below.canonical()))
    assert queries.evidence(second).tensors is not None
    small = evaluations.evidence(row)
    assert small.tensors is None
    canonical.loads(small.canonical(), max_bytes=canonical.MAX_BYTES)  # as its readers do


def test_two_who_disagree_are_both_shown_and_members_apart(world: World, first: Checkpoint) -> None:
    conduct.accept(world.conduct, world.people.bob.namespace, world.people.bob)
    for person, value in ((world.people.bob, "0.9"), (world.people.charlie, "0.1")):
        metrics = [{"name": "acc", "value": value}]
        assert hand_in(client_of(person, "publish"), metrics=metrics).status_code == 201
    page = Client().get("/lab/small/first").content.decode()
    members, others = page.index("By members of lab"), page.index("By others")
    assert members < page.index("0.9</strong>") < others < page.index("0.1</strong>")


def test_a_member_may_say_it_in_the_labs_name_and_nobody_else(
    world: World, first: Checkpoint
) -> None:
    alice = client_of(world.people.alice, "publish")
    said = hand_in(alice, by="lab").json()
    assert (said["by"], said["is_members"]) == ("lab", True)
    refused = hand_in(charlie(world), by="lab")
    assert (refused.status_code, refused.json()["code"]) == (403, "may-not-evaluate")


def test_who_said_it_takes_it_back_and_nothing_is_deleted(
    world: World, first: Checkpoint, authority: Authority
) -> None:
    url = f"{URL}/{hand_in(charlie(world)).json()['id']}"
    other = client_of(world.people.alice, "publish")
    assert other.post(f"{url}/withdrawal", {"reason": "mistaken"}).status_code == 403
    bad = charlie(world).post(f"{url}/withdrawal", {"reason": "I was wrong"})
    assert (bad.status_code, bad.json()["code"]) == (422, "invalid-document")
    said = charlie(world).post(f"{url}/withdrawal", {"reason": "mistaken"}).json()
    assert (said["state"], said["withdrawn"]["reason"]) == ("withdrawn", "mistaken")
    again = charlie(world).post(f"{url}/withdrawal", {"reason": "superseded"}).json()
    assert again["withdrawn"] == said["withdrawn"]
    withdrawal = examined(authority, f"{url}/evidence").withdrawal
    assert withdrawal is not None
    assert withdrawal.reason == "mistaken"
    assert "<s>0.2504</s>" in Client().get("/lab/small/first").content.decode()
    kinds = [each.kind for each in Happening.objects.filter(kind__startswith="evaluation.")]
    assert kinds == ["evaluation.published", "evaluation.withdrawn"]
    rows = AuditRow.objects.filter(action__startswith="evaluation.").order_by("pk")
    assert [each.action for each in rows] == ["evaluation.add", "evaluation.withdraw"]


def test_the_same_request_again_says_it_once(world: World, first: Checkpoint) -> None:
    client = charlie(world)
    client.credentials(
        HTTP_AUTHORIZATION=f"Bearer {secret_of(world.people.charlie, 'publish')}",
        HTTP_IDEMPOTENCY_KEY="once",
    )
    answers = [client.post(URL, RESULT, format="json") for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert Evaluation.objects.count() == 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"metrics": [{"name": "acc", "value": 1}]}, "metrics.value"),
        ({"metrics": [{"name": "acc", "value": "NaN"}]}, "metrics.value"),
        ({"metrics": []}, "metrics"),
        ({"metrics": "acc"}, "metrics"),
        ({"metrics": [{"name": "acc", "value": "1"}] * 2}, "metrics"),
        ({"metrics": [1]}, "metrics.metric"),
        ({"dataset": {"name": "x", "sha256": "AB" * 32}}, "dataset.sha256"),
        ({"harness": {"name": "x"}}, "harness.version"),
        ({"evaluated_at": "2126-11-20T09:30:00Z"}, "evaluated_at"),
        ({"task": "a\nb"}, "task"),
        ({"model": "x"}, "'model'"),
        ({"by": ""}, "by"),
    ],
)
def test_what_is_no_result_is_refused_by_its_field(
    world: World, first: Checkpoint, changed: dict[str, object], said: str
) -> None:
    answer = hand_in(charlie(world), **changed)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-document")
    assert answer.json()["detail"].startswith(f"{said}:")
    assert not Evaluation.objects.exists()


def test_who_has_not_accepted_the_conduct_says_nothing(world: World, first: Checkpoint) -> None:
    conduct.withdraw(world.conduct, world.people.charlie.namespace, world.people.charlie)
    answer = hand_in(charlie(world))
    assert (answer.status_code, answer.json()["code"]) == (403, "conduct-not-accepted")


def test_what_may_not_be_seen_is_not_found_nor_are_its_evaluations(
    world: World, first: Checkpoint
) -> None:
    said = hand_in(charlie(world)).json()
    governing.show(world.project, Visibility.PRIVATE, by=world.people.alice)
    for client in (APIClient(), charlie(world)):
        for url in (URL, f"{URL}/{said['id']}", f"{URL}/{said['id']}/evidence"):
            assert client.get(url).status_code == 404
    assert hand_in(charlie(world)).status_code == 404
    entry = Client().get(f"/ledger/entries/{said['ledger_index']}").content.decode()
    assert "hellaswag" not in entry
    assert client_of(world.people.alice, "read").get(URL).json()["results"][0]["by"] == "charlie"


def test_its_entry_in_the_ledger_is_shown(world: World, first: Checkpoint) -> None:
    index = hand_in(charlie(world)).json()["ledger_index"]
    assert "hellaswag" in Client().get(f"/ledger/entries/{index}").content.decode()
    assert "evaluation" in Client().get("/ledger").content.decode()


def test_of_what_was_taken_down_nothing_more_is_said(world: World, first: Checkpoint) -> None:
    said = hand_in(charlie(world)).json()
    takedowns.take_down_checkpoint(first, Order(reason="A court forbade it.", by="system"))
    assert hand_in(charlie(world)).status_code == 404
    assert APIClient().get(f"{URL}/{said['id']}/evidence").status_code == 200


def test_no_word_but_its_absence_stands_for_ones_own_name(world: World, first: Checkpoint) -> None:
    for by in ("-", " "):
        answer = hand_in(charlie(world), by=by)
        assert (answer.status_code, answer.json()["code"]) == (403, "may-not-evaluate")
    assert hand_in(charlie(world), by="").status_code == 422
    assert hand_in(charlie(world), by="charlie").json()["by"] == "charlie"


def test_one_name_says_so_much_of_a_checkpoint(
    world: World, first: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluating, "MOST_OF_ONE", 1)
    assert hand_in(charlie(world)).status_code == 201
    answer = hand_in(charlie(world))
    assert (answer.status_code, answer.json()["code"]) == (409, "too-many-evaluations")
    assert hand_in(client_of(world.people.alice, "publish"), by="lab").status_code == 201


def test_nothing_is_signed_of_what_is_too_much(
    world: World,
    first: Checkpoint,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(evaluating, "MOST_OF_ONE", 1)
    assert hand_in(charlie(world)).status_code == 201
    settings.SIGNER_SOCKET = tmp_path / "none"
    assert hand_in(charlie(world)).json()["code"] == "too-many-evaluations"


def test_one_that_came_while_it_was_signed_counts(
    world: World, first: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign = authority_services.sign

    def overtaken(
        purpose: Purpose,
        owner: Namespace,
        statement: Statement,
        *,
        under: ConductReference | None = None,
    ) -> ledger_queries.Statement:
        monkeypatch.setattr(evaluating, "MOST_OF_ONE", 0)  # as if another came meanwhile
        return sign(purpose, owner, statement, under=under)

    monkeypatch.setattr(authority_services, "sign", overtaken)
    assert hand_in(charlie(world)).json()["code"] == "too-many-evaluations"
    assert not Evaluation.objects.exists()


def test_while_the_ledger_is_away_it_waits_and_the_sweep_shows_it(
    world: World, first: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise LedgerBusy("expected the sequencer's lock")

    before = hand_in(charlie(world)).json()["id"]  # who is certified by now
    with monkeypatch.context() as patched:
        patched.setattr(ledger, "integrate", away)
        answer = hand_in(charlie(world))
        assert (answer.status_code, answer.json()["state"]) == (202, "received")
        shown = APIClient().get(URL).json()["results"]
        assert [each["id"] for each in shown] == [before]
    sweep()
    shown = APIClient().get(URL).json()["results"]
    assert [each["id"] for each in shown] == [answer.json()["id"], before]
    assert Happening.objects.filter(kind="evaluation.published").count() == 2


def test_one_that_cannot_be_shown_keeps_none_of_the_others(
    world: World, first: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = [hand_in(charlie(world)).json()["id"] for _ in range(2)]
    Evaluation.objects.update(published_at=None)
    show = evaluating._show

    def fail_once(evaluation: Evaluation) -> None:
        if str(evaluation.key) == said[0]:
            raise RuntimeError("a fault of ours")
        show(evaluation)

    with monkeypatch.context() as patched:
        patched.setattr(evaluating, "_show", fail_once)
        sweep()
    assert [each["id"] for each in APIClient().get(URL).json()["results"]] == [said[1]]
    sweep()
    assert [each["id"] for each in APIClient().get(URL).json()["results"]] == said[::-1]


def test_a_token_of_a_project_says_it_in_the_owners_name(world: World, first: Checkpoint) -> None:
    alice = world.people.alice
    client = client_of_job(alice)
    assert hand_in(client, by="alice").status_code == 403
    said = hand_in(client).json()
    assert (said["by"], said["is_members"]) == ("lab", True)
    assert AuditRow.objects.get(action="evaluation.add").actor == "publisher:7"
    mine = hand_in(client_of(alice, "publish")).status_code
    assert mine == 403  # she has accepted in the lab's name alone
    theirs = hand_in(charlie(world)).json()["id"]
    refused = client.post(f"{URL}/{theirs}/withdrawal", {"reason": "mistaken"})
    assert refused.status_code == 403
    done = client.post(f"{URL}/{said['id']}/withdrawal", {"reason": "superseded"})
    assert done.json()["state"] == "withdrawn"


def test_a_person_who_leaves_takes_their_word_along(world: World, first: Checkpoint) -> None:
    said = hand_in(charlie(world)).json()
    erasing.erase("charlie")
    assert APIClient().get(URL).json()["results"] == []
    entry = Client().get(f"/ledger/entries/{said['ledger_index']}").content.decode()
    assert "hellaswag" not in entry
    assert audit.verify().redacted > 0


def test_what_the_card_declares_is_kept_apart(world: World) -> None:
    front = {
        "model-index": [
            {
                "name": "small",
                "results": [
                    {
                        "task": {"type": "text-generation"},
                        "dataset": {"name": "HellaSwag", "type": "hellaswag"},
                        "metrics": [{"type": "acc", "value": 0.87}, {"type": "none"}],
                    },
                    "no result",
                ],
            }
        ]
    }
    card = b"---\n" + json.dumps(front).encode() + b"\n---\n" + CARD
    publish(by_person(world, files={**FILES, "README.md": card}))
    page = Client().get("/lab/small/first").content.decode()
    assert page.index("Declared by the card, not signed") < page.index("0.87")
    assert "Who says so" not in page
