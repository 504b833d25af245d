# SPDX-License-Identifier: Apache-2.0
"""Outputs over HTTP: what is answered to whom, and that a refusal changes nothing."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from registry.accounts.models import User
from registry.catalog.models import Checkpoint
from registry.conduct import services as conduct
from registry.idempotency.models import Attempt
from registry.idempotency.services import ABANDONED_AFTER
from registry.outputs import asking, services, waiting
from registry.outputs.models import Output, State
from tests.registry.outputs import world
from tests.registry.outputs.world import TEXT
from tests.registry.people import People, client_of
from tests.registry.pool.world import Lab, found
from tests.running import Authority

URL = "/api/v1/outputs"
LEASE = "/api/v1/generation/lease"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody generates in these tests: no use in waiting for it."""
    monkeypatch.setattr(waiting, "ANSWER_SECONDS", 0.0)
    monkeypatch.setattr(waiting, "WORK_SECONDS", 0.0)


def test_a_text_is_asked_for_generated_signed_and_answered(
    transactional_db: None, authority: Authority, people: People
) -> None:
    lab = found(people)
    asked = world.asked_of(world.published(lab))
    client = client_of(people.bob, "outputs")
    with world.generation_program(world.operator()):
        answers = [client.post(URL, asked, headers={"Idempotency-Key": "1"}) for _ in range(2)]
    first, again = answers
    assert first.status_code == again.status_code == 201
    said = first.json()
    assert (said["state"], said["claim"], said["text"]) == ("signed", "server-generated", TEXT)
    assert said["checkpoint"] == asked["checkpoint"]
    assert said["evidence"]["type"] == "https://assay/evidence/v1"
    assert first["Location"] == f"http://localhost:8000{URL}/{said['id']}"
    # The first answer got lost; asking again with its key neither generates nor signs.
    assert again.json() == said
    assert again["Idempotency-Replayed"] == "true"
    assert Output.objects.filter(is_sample=False).count() == 1


@pytest.mark.parametrize("url", [URL, f"{URL}/sign"])
def test_a_request_whose_process_died_makes_one_output(
    lab: Lab, checkpoint: Checkpoint, impatient: None, url: str
) -> None:
    client = client_of(lab.people.bob, "outputs")
    body = world.asserted_of(checkpoint) if url.endswith("sign") else world.asked_of(checkpoint)
    first = client.post(url, body, headers={"Idempotency-Key": "1"})
    assert first.status_code == 202
    # It had committed the output, and was killed before its answer was.
    died_at = timezone.now() - ABANDONED_AFTER - timedelta(seconds=1)
    Attempt.objects.update(status=None, answer=None, started_at=died_at)
    again = client.post(url, body, headers={"Idempotency-Key": "1"})
    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
    assert Output.objects.count() == 1
    other = client.post(url, body, headers={"Idempotency-Key": "2"})
    assert other.json()["id"] != first.json()["id"]


def test_what_takes_longer_is_followed(
    real_lab: Lab, real_checkpoint: Checkpoint, impatient: None
) -> None:
    client = client_of(real_lab.people.bob, "outputs")
    answer = client.post(URL, world.asked_of(real_checkpoint))
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    operator = world.operator()
    path = answer["Location"].removeprefix("http://localhost:8000")
    assert client.get(path).json()["state"] == "queued"
    world.generate(operator)
    assert client.get(path).json()["text"] == TEXT


def test_a_full_queue_is_said_to_be_full(lab: Lab, checkpoint: Checkpoint, impatient: None) -> None:
    for _ in range(asking.MAX_WAITING):
        world.ask(lab, checkpoint)
    answer = client_of(lab.people.bob, "outputs").post(URL, world.asked_of(checkpoint))
    assert (answer.status_code, answer.json()["code"]) == (429, "generation-queue-full")
    assert answer["Retry-After"] == "5"
    assert Output.objects.count() == asking.MAX_WAITING


@pytest.mark.parametrize(("failure", "status"), [("a", 503), ("withdrawn", 403)])
def test_a_failure_is_answered_with_its_reason(
    real_lab: Lab,
    real_checkpoint: Checkpoint,
    impatient: None,
    monkeypatch: pytest.MonkeyPatch,
    failure: str,
    status: int,
) -> None:
    def fails(output_id: uuid.UUID, *, seconds: float) -> Output:
        operator = world.operator()
        if failure == "withdrawn":
            real_lab.withdraw(real_lab.people.bob)
            return world.generate(operator)
        for _ in range(3):
            work = services.lease(holder=operator, node="generator", now=timezone.now())
            assert work is not None
            assert work.lease_id is not None
            services.fail(work.lease_id, "no memory", holder=operator, now=timezone.now())
        return Output.objects.get(pk=output_id)

    monkeypatch.setattr(services, "for_an_end", fails)
    answer = client_of(real_lab.people.bob, "outputs").post(URL, world.asked_of(real_checkpoint))
    code = {503: "generation-failed", 403: "conduct-not-accepted"}[status]
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_callers_digest_is_signed(real_lab: Lab, real_checkpoint: Checkpoint) -> None:
    body = world.asserted_of(real_checkpoint)
    client = client_of(real_lab.people.bob, "outputs")
    answer = client.post(f"{URL}/sign", body)
    assert answer.status_code == 201
    said = answer.json()
    assert (said["claim"], said["text"], said["request"]) == ("caller-asserted", None, None)
    shown = client.get(f"{URL}/{said['id']}").json()
    assert shown.pop("standing")["state"] == "good"
    assert shown == said


def test_while_the_signer_is_away_a_signature_is_followed(
    real_lab: Lab, real_checkpoint: Checkpoint, authority: Authority
) -> None:
    body = world.asserted_of(real_checkpoint)
    authority.stop()
    answer = client_of(real_lab.people.bob, "outputs").post(f"{URL}/sign", body)
    authority.start()
    assert (answer.status_code, answer.json()["state"]) == (202, "generated")
    assert "evidence" not in answer.json()


@pytest.mark.parametrize("url", [URL, f"{URL}/sign"])
def test_only_a_token_for_outputs_and_a_live_acceptance_open_it(
    lab: Lab, checkpoint: Checkpoint, impatient: None, url: str
) -> None:
    body = world.asserted_of(checkpoint) if url.endswith("sign") else world.asked_of(checkpoint)
    callers: list[tuple[APIClient, int, str]] = [
        (APIClient(), 401, "authentication-required"),
        (client_of(lab.people.bob, "node", "read"), 403, "scope-missing"),
        (client_of(lab.people.charlie, "outputs"), 403, "conduct-not-accepted"),
    ]
    for client, status, code in callers:
        answer = client.post(url, body)
        assert answer.status_code == status
        assert answer["Content-Type"] == "application/problem+json"
        assert code in (answer.json()["code"], "authentication-required")
    assert Output.objects.count() == 0


def test_an_unknown_checkpoint_and_a_malformed_body_are_refused(
    lab: Lab, checkpoint: Checkpoint, impatient: None
) -> None:
    client = client_of(lab.people.bob, "outputs")
    unknown = world.asked_of(checkpoint, checkpoint=f"sha256:{'0' * 64}")
    assert client.post(URL, unknown).status_code == 404
    assert client.post(URL, world.asked_of(checkpoint, temperature="hot")).status_code == 422
    assert client.post(URL, []).status_code == 422
    assert client.post(f"{URL}/sign", {}).status_code == 422
    assert Output.objects.count() == 0


def test_an_output_is_its_callers_alone(
    real_lab: Lab, real_checkpoint: Checkpoint, operator: User
) -> None:
    conduct.accept(real_lab.version, real_lab.people.alice.namespace, real_lab.people.alice)
    request = services.Request.parse(world.asked_of(real_checkpoint))
    output = services.ask(request, by=real_lab.people.alice)
    world.generate(operator)
    url = f"{URL}/{output.id}"
    alice, bob, charlie = real_lab.people.alice, real_lab.people.bob, real_lab.people.charlie
    assert client_of(alice, "outputs").get(url).json()["text"] == TEXT
    assert client_of(alice, "read").get(url).status_code == 200
    for stranger in (
        APIClient(),
        client_of(bob, "outputs"),
        client_of(charlie, "outputs"),
        client_of(alice, "node"),
    ):
        answer = stranger.get(url)
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
        assert TEXT not in answer.content.decode()
    assert APIClient().get(f"{URL}/{uuid.uuid4()}").status_code == 404
    assert APIClient().get(f"{URL}/nonsense").status_code == 404


def test_a_sample_is_everybodys(real_lab: Lab, operator: User) -> None:
    world.trained(real_lab, 20)
    services.queue_samples()
    sample = world.generate(operator)
    said = APIClient().get(f"{URL}/{sample.id}").json()
    assert (said["text"], said["state"]) == (TEXT, "signed")


def test_the_generation_program_leases_and_delivers(
    real_lab: Lab, real_checkpoint: Checkpoint, operator: User, impatient: None
) -> None:
    program = client_of(operator, "generation")
    assert program.post(LEASE, {"node": "generator"}).status_code == 204
    world.ask(real_lab, real_checkpoint)
    work = program.post(LEASE, {"node": "generator"}).json()
    assert work["id"] == str(Output.objects.get().lease_id)
    assert work["files"] == real_checkpoint.manifest["files"]
    assert {name: work[name] for name in world.ASKED} == world.ASKED
    assert work["checkpoint"] == f"sha256:{real_checkpoint.manifest_sha256}"
    url = f"/api/v1/generation/{work['id']}"
    for _ in range(2):
        assert program.post(f"{url}/complete", {"text": TEXT}).status_code == 204
    assert Output.objects.get().state == State.SIGNED
    late = program.post(f"{url}/fail", {"reason": "too slow"})
    assert (late.status_code, late.json()["code"]) == (409, "lease-lost")


def test_the_generation_program_may_give_up(
    lab: Lab, checkpoint: Checkpoint, operator: User, impatient: None
) -> None:
    program = client_of(operator, "generation")
    world.ask(lab, checkpoint)
    work = program.post(LEASE, {"node": "generator"}).json()
    answer = program.post(f"/api/v1/generation/{work['id']}/fail", {"reason": "no memory"})
    assert answer.status_code == 204
    output = Output.objects.get()
    assert (output.state, output.reason) == (State.QUEUED, "no memory")


def test_only_tokens_for_generation_reach_it(
    lab: Lab, checkpoint: Checkpoint, operator: User, impatient: None
) -> None:
    world.ask(lab, checkpoint)
    work = services.lease(holder=operator, node="generator", now=timezone.now())
    assert work is not None
    session = APIClient()
    session.force_login(lab.people.bob)
    url = f"/api/v1/generation/{work.lease_id}"
    for client, statuses in (
        (APIClient(), {401}),
        (session, {403}),
        (client_of(lab.people.bob, "outputs", "node", "publish", "read"), {403}),
    ):
        assert client.post(LEASE, {"node": "mine"}).status_code in statuses
        assert client.post(f"{url}/complete", {"text": "mine"}).status_code in statuses
        assert client.post(f"{url}/fail", {"reason": "mine"}).status_code in statuses
    assert Output.objects.get().state == State.LEASED


@pytest.mark.parametrize(
    ("word", "body"),
    [
        ("complete", {"text": "a" * 65}),
        ("complete", {"text": "a" * 5000}),
        ("complete", {"text": None}),
        ("complete", {"text": "a", "claim": "server-generated"}),
        ("complete", {}),
        ("fail", {"reason": ""}),
        ("fail", {"reason": "x" * 501}),
    ],
)
def test_a_malformed_delivery_changes_nothing(
    lab: Lab, checkpoint: Checkpoint, operator: User, word: str, body: dict[str, Any]
) -> None:
    world.ask(lab, checkpoint)
    work = services.lease(holder=operator, node="generator", now=timezone.now())
    assert work is not None
    program = client_of(operator, "generation")
    answer = program.post(f"/api/v1/generation/{work.lease_id}/{word}", body)
    assert answer.status_code == 422
    assert Output.objects.get().state == State.LEASED
