# SPDX-License-Identifier: Apache-2.0
"""A node publishes through its lease what it signed, and nothing that it does not hold."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography import x509
from django.utils import timezone

from assay.signing.revocation import Reason
from assay.signing.verify import verify_checkpoint
from registry.accounts.models import Node
from registry.authority import revocations
from registry.catalog import queries as catalog
from registry.catalog import services as services_of_catalog
from registry.catalog.models import Checkpoint, State
from registry.ledger.models import Statement
from registry.pool import queries, services
from registry.pool.models import Lease, Run
from tests.registry.pool.world import Lab, Machine, join, publish, refused, submission
from tests.registry.verifying import demands
from tests.running import Authority


@pytest.fixture
def lab(real_lab: Lab) -> Lab:
    """Here everything is signed and verified."""
    return real_lab


@pytest.fixture
def machine(real_machine: Machine) -> Machine:
    """And the machine has a certificate."""
    return real_machine


@pytest.fixture
def lease(lab: Lab, machine: Machine) -> Lease:
    claimed = services.claim(machine.node, now=timezone.now())
    assert claimed is not None
    return claimed


def url(lease: Lease) -> str:
    return f"/api/v1/leases/{lease.id}/checkpoints"


def test_a_checkpoint_is_received_and_then_published(
    lab: Lab, machine: Machine, lease: Lease
) -> None:
    asked = submission(lab, machine, 20)
    answer = machine.client.post(url(lease), asked)
    assert answer.status_code == 202
    said, checkpoint = answer.json(), Checkpoint.objects.get()
    assert said["id"] == f"sha256:{checkpoint.manifest_sha256}"
    assert (said["state"], checkpoint.run_id) == ("received", str(lab.run.id))
    assert said["url"] == answer["Location"]  # as a person's upload is answered
    assert machine.client.get(said["url"]).json()["id"] == said["id"]
    assert Run.objects.get().step == 20


def test_what_is_published_verifies_down_to_the_run(
    lab: Lab, machine: Machine, lease: Lease, authority: Authority
) -> None:
    evidence = catalog.evidence(publish(lab, machine, lease, 20))
    verified = verify_checkpoint(
        evidence, trust=authority.trust_root, requirements=demands(), files=evidence.manifest
    )
    assert verified.run is not None
    assert (verified.run.run, verified.run.node) == (str(lab.run.id), str(machine.node.id))


def test_a_retry_with_its_key_gets_the_same_answer(
    lab: Lab, machine: Machine, lease: Lease
) -> None:
    asked = submission(lab, machine, 20)
    answers = [
        machine.client.post(url(lease), asked, headers={"Idempotency-Key": "step-20"})
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    assert Checkpoint.objects.count() == 1


def test_a_retry_without_a_key_is_told_that_it_is_there(
    lab: Lab, machine: Machine, lease: Lease
) -> None:
    asked = submission(lab, machine, 20)
    machine.client.post(url(lease), asked)
    answer = machine.client.post(url(lease), asked)
    assert (answer.status_code, answer.json()["code"]) == (409, "already-published")
    assert Checkpoint.objects.count() == 1


@pytest.mark.parametrize(
    "lie",
    [
        {"run": "7f1f0a52-5d0c-4a5f-9f53-1c2f60f5f4a1"},
        {"node": "7f1f0a52-5d0c-4a5f-9f53-1c2f60f5f4a1"},
        {"step": 19},
        {"recipe": {"trainer": "byte-gpt/v1"}},
        {"dataset_sha256": "0" * 64},
        {"parent_sha256": "0" * 64},
        {"manifest_sha256": "0" * 64},
    ],
)
def test_a_statement_that_is_not_true_to_the_lease_is_refused(
    lab: Lab, machine: Machine, lease: Lease, lie: dict[str, Any]
) -> None:
    asked = submission(lab, machine, 20, **lie)
    asked["step"] = 20
    assert refused(machine, lease, asked) == (422, "run-statement-refused")


def test_a_statement_of_another_nodes_key_is_refused(
    lab: Lab, machine: Machine, lease: Lease
) -> None:
    hers = join(lab.people.alice)
    asked = submission(lab, machine, 20) | {"statement": submission(lab, hers, 20)["statement"]}
    assert refused(machine, lease, asked) == (422, "run-statement-refused")


def revoke(machine: Machine) -> None:
    """The machine's certificate, which it goes on using."""
    pem = Node.objects.get(pk=machine.node.pk).chain.encode()
    leaf, _ = x509.load_pem_x509_certificates(pem)
    revocations.revoke(f"{leaf.serial_number:x}", Reason.KEY_COMPROMISE)


def test_what_a_revoked_certificate_signed_is_refused(
    lab: Lab, machine: Machine, lease: Lease
) -> None:
    asked = submission(lab, machine, 20)
    revoke(machine)
    assert refused(machine, lease, asked) == (422, "run-statement-refused")


def test_a_certificate_that_is_revoked_meanwhile_has_its_statement_rejected(
    lab: Lab, machine: Machine, lease: Lease
) -> None:
    assert machine.client.post(url(lease), submission(lab, machine, 20)).status_code == 202
    revoke(machine)
    before = Statement.objects.count()
    found = services_of_catalog.advance(Checkpoint.objects.get().pk)
    assert (found.state, Statement.objects.count()) == (State.REJECTED, before)
    assert "that are not revoked" in found.reason


def test_what_a_statement_says_was_lost_is_known_from_it(
    lab: Lab, machine: Machine, lease: Lease
) -> None:
    publish(lab, machine, lease, 20)
    (point,) = queries.shown_losses(lab.run)
    assert (point["step"], point["train"], point["validation"]) == (20, "2.5", "2.6")


def test_what_was_reported_before_stands(lab: Lab, machine: Machine, lease: Lease) -> None:
    report = {"step": 20, "bytes_seen": 1, "train": "2.4", "seconds": "1"}
    points = services.parse_points({"points": [report]})
    services.report(lease.id, points, by=lab.people.bob, now=timezone.now())
    publish(lab, machine, lease, 20)
    (point,) = queries.shown_losses(lab.run)
    assert point["train"] == "2.4"


@pytest.mark.parametrize("lie", [{"train_loss": "-1"}, {"validation_loss": "9999999"}])
def test_a_loss_that_is_none_is_refused(
    lab: Lab, machine: Machine, lease: Lease, lie: dict[str, Any]
) -> None:
    asked = submission(lab, machine, 20, **lie)
    assert refused(machine, lease, asked) == (422, "invalid-document")
