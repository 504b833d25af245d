# SPDX-License-Identifier: Apache-2.0
"""What a node is told over HTTP: its lease, how long it holds, and that it is lost."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from registry.pool import leases, services
from registry.pool.models import Lease, LeaseState, LossPoint, Run, RunState
from tests.registry.people import client_of
from tests.registry.pool.world import (
    RECIPE,
    STEPS,
    Lab,
    Machine,
    paper_checkpoint,
    paper_machine,
)

POINTS = {"points": [{"step": 1, "bytes_seen": 4096, "train": "2.5", "seconds": "1.5"}]}
WORDS: list[tuple[str, dict[str, Any]]] = [
    ("heartbeat", {"step": 1}),
    ("losses", POINTS),
    ("complete", {}),
    ("release", {}),
]


def url(lease: Lease, word: str) -> str:
    return f"/api/v1/leases/{lease.id}/{word}"


def claim(machine: Machine) -> Lease:
    lease = services.claim(machine.node, now=timezone.now())
    assert lease is not None
    return lease


def test_a_lease_says_all_that_a_node_needs(lab: Lab, machine: Machine) -> None:
    answer = machine.client.post("/api/v1/leases", {"node": str(machine.node.id)})
    assert answer.status_code == 201
    said, lease = answer.json(), Lease.objects.get()
    assert said["id"] == str(lease.id)
    assert said["lease_seconds"] == leases.LEASE_SECONDS
    assert said["expires_at"].endswith("Z")
    assert said["resume"] is None
    assert said["name_prefix"] == ""
    assert said["run"] == {
        "id": str(lab.run.id),
        "project": "lab/tiny",
        "recipe": RECIPE,
        "dataset": {"sha256": lab.dataset.sha256, "files": lab.dataset.manifest["files"]},
        "conduct": {
            "id": "community-language-models",
            "version": "1.0",
            "sha256": lab.version.sha256,
        },
    }


def test_a_later_runs_checkpoints_have_names_of_their_own(lab: Lab, machine: Machine) -> None:
    second = services.create_run(lab.project, RECIPE, lab.dataset, lab.people.alice)
    ended = Run.objects.filter(pk=lab.run.pk)
    ended.update(state=RunState.COMPLETED, ended_at=timezone.now())
    said = machine.client.post("/api/v1/leases", {"node": str(machine.node.id)}).json()
    assert said["run"]["id"] == str(second.id)
    assert said["name_prefix"] == "run-2-"


def test_the_next_lease_says_where_to_go_on(lab: Lab, machine: Machine) -> None:
    lease = claim(machine)
    checkpoint = paper_checkpoint(lab, 20)
    machine.client.post(url(lease, "release"), {})
    said = machine.client.post("/api/v1/leases", {"node": str(machine.node.id)}).json()
    assert said["fence"] == 2
    assert said["resume"] == {
        "checkpoint": f"sha256:{checkpoint.manifest_sha256}",
        "step": 20,
        "files": checkpoint.manifest["files"],
    }


def test_when_there_is_nothing_to_do_it_says_nothing(lab: Lab, machine: Machine) -> None:
    lab.run.delete()
    answer = machine.client.post("/api/v1/leases", {"node": str(machine.node.id)})
    assert (answer.status_code, answer.content) == (204, b"")


def test_a_retried_request_for_work_gets_the_same_lease(lab: Lab, machine: Machine) -> None:
    answers = [
        machine.client.post(
            "/api/v1/leases", {"node": str(machine.node.id)}, headers={"Idempotency-Key": "1"}
        )
        for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    assert Lease.objects.count() == 1


def test_a_withdrawn_acceptance_gets_no_lease(lab: Lab, machine: Machine) -> None:
    lab.withdraw(lab.people.bob)
    answer = machine.client.post("/api/v1/leases", {"node": str(machine.node.id)})
    assert (answer.status_code, answer.json()["code"]) == (403, "conduct-not-accepted")
    assert Lease.objects.count() == 0


def test_a_heartbeat_tells_until_when(lab: Lab, machine: Machine) -> None:
    lease = claim(machine)
    said = machine.client.post(url(lease, "heartbeat"), {"step": 3}).json()
    assert said["state"] == "active"
    lease.refresh_from_db()
    assert said["expires_at"] == lease.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("state", ["ran out", "swept", "released"])
def test_a_heartbeat_after_the_end_says_lost(lab: Lab, machine: Machine, state: str) -> None:
    lease = claim(machine)
    if state == "released":
        services.release(lease.id, by=lab.people.bob, now=timezone.now())
    else:
        Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    if state == "swept":
        services.expire(now=timezone.now())
    said = machine.client.post(url(lease, "heartbeat"), {"step": 3})
    assert (said.status_code, said.json()["state"]) == (200, "lost")
    assert Lease.objects.get().step == 0


def test_losses_and_the_end_of_a_run(lab: Lab, machine: Machine) -> None:
    lease = claim(machine)
    assert machine.client.post(url(lease, "losses"), POINTS).status_code == 204
    unfinished = machine.client.post(url(lease, "complete"), {})
    assert (unfinished.status_code, unfinished.json()["code"]) == (409, "run-unfinished")
    paper_checkpoint(lab, STEPS)
    for _ in range(2):
        done = machine.client.post(url(lease, "complete"), {}, headers={"Idempotency-Key": "end"})
        assert done.status_code == 204
    assert Run.objects.get().state == RunState.COMPLETED
    assert LossPoint.objects.count() == 1


@pytest.mark.parametrize(("word", "body"), WORDS[1:])
def test_what_comes_late_is_refused(
    lab: Lab, machine: Machine, word: str, body: dict[str, Any]
) -> None:
    lease = claim(machine)
    Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    answer = machine.client.post(url(lease, word), body)
    assert (answer.status_code, answer.json()["code"]) == (409, "lease-lost")
    assert Lease.objects.get().state == LeaseState.ACTIVE
    assert LossPoint.objects.count() == 0


@pytest.mark.parametrize(("word", "body"), WORDS)
def test_a_lease_is_its_holders_alone(
    lab: Lab, machine: Machine, word: str, body: dict[str, Any]
) -> None:
    lease = claim(machine)
    before = Lease.objects.values().get()
    callers: list[tuple[APIClient, int]] = [
        (APIClient(), 401),
        (client_of(lab.people.bob, "publish"), 403),
        (client_of(lab.people.charlie, "node"), 404),
        (client_of(lab.people.alice, "node"), 404),
    ]
    for client, status in callers:
        answer = client.post(url(lease, word), body)
        assert answer.status_code == status
        assert answer["Content-Type"] == "application/problem+json"
    assert Lease.objects.values().get() == before


def test_work_is_only_for_ones_own_node(lab: Lab, machine: Machine) -> None:
    hers = paper_machine(lab.people.alice)
    asked = {"node": str(machine.node.id)}
    for client, status in (
        (APIClient(), 401),
        (client_of(lab.people.bob, "publish"), 403),
        (hers.client, 404),
    ):
        assert client.post("/api/v1/leases", asked).status_code == status
    assert machine.client.post("/api/v1/leases", {"node": "nonsense"}).status_code == 404
    assert machine.client.post("/api/v1/leases", {"node": str(uuid.uuid4())}).status_code == 404
    assert machine.client.post("/api/v1/leases", {}).status_code == 422
    assert Lease.objects.count() == 0


@pytest.mark.parametrize(
    ("word", "body"),
    [("heartbeat", {}), ("heartbeat", {"step": -1}), ("heartbeat", {"step": 41}), ("losses", [])],
)
def test_a_malformed_word_is_refused(lab: Lab, machine: Machine, word: str, body: object) -> None:
    answer = machine.client.post(url(claim(machine), word), body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-document")


def test_an_unknown_lease_is_not_found(lab: Lab, machine: Machine) -> None:
    for lease in (str(uuid.uuid4()), "nonsense"):
        answer = machine.client.post(f"/api/v1/leases/{lease}/heartbeat", {"step": 1})
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
