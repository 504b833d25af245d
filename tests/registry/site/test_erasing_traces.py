# SPDX-License-Identifier: Apache-2.0
"""A person leaves whose machine trained and wrote: its name, texts and runs go with them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from registry.accounts import services as accounts
from registry.accounts.models import User
from registry.accounts.queries import SYSTEM
from registry.audit import queries as audit
from registry.audit import services as audit_services
from registry.audit.models import AuditRow
from registry.catalog.models import Checkpoint
from registry.catalog.services import advancing
from registry.conduct import services as conduct
from registry.events.models import Event
from registry.ledger.services import integrate
from registry.outputs import generating
from registry.outputs import queries as outputs
from registry.outputs import services as outputs_services
from registry.outputs.models import Output, State
from registry.pool import queries as pool
from registry.pool import services as pool_services
from registry.pool.models import Lease, LeaseState, Run, RunState
from registry.site import erasing
from tests.keeping import kept
from tests.registry.catalog.world import project
from tests.registry.people import invite
from tests.registry.pool.world import RECIPE, Lab, Machine, found, join, publish, submission
from tests.registry.site.leaving import NAME, naming
from tests.registry.site.world import answer_next, ask

HOST = "quagga"  # as no other word here
SAMPLE, TEXT = "numbat = 1\n", "bilby = 2\n"
LATER = timedelta(minutes=5)

pytestmark = pytest.mark.django_db


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """Zebulon's run, on his machine, which also wrote texts for others."""

    lab: Lab
    person: User
    machine: Machine
    lease: Lease
    checkpoint: Checkpoint
    sample: Output
    alices: Output


def _train(_folder: Path) -> Trained:
    lab = found(invite())
    bobs = join(lab.people.bob)
    assert pool_services.claim(bobs.node, now=timezone.now())
    person = accounts.create_user(NAME)
    conduct.accept(lab.version, person.namespace, person)
    own = project(person.namespace, lab.version, person, "own")
    run = pool_services.create_run(own, RECIPE, lab.dataset, person)
    his = replace(lab, project=own, run=run)
    machine = join(person, HOST)
    lease = pool_services.claim(machine.node, now=timezone.now())
    assert lease is not None
    checkpoint = publish(his, machine, lease, 20)
    sample = _written(person, SAMPLE)
    ask(checkpoint, by=lab.people.alice)
    _lost(person)
    ask(checkpoint, by=lab.people.alice)
    return Trained(
        lab=his,
        person=person,
        machine=machine,
        lease=lease,
        checkpoint=checkpoint,
        sample=sample,
        alices=_written(person),
    )


trained = kept(_train)


def _written(by: User, text: str = TEXT) -> Output:
    """What waits next, answered by Zebulon's machine."""
    leased = outputs_services.for_work(holder=by, node=HOST, seconds=20)
    assert leased is not None
    assert leased.lease_id is not None
    outputs_services.complete(leased.lease_id, text, holder=by, now=timezone.now())
    outputs_services.advance(leased.pk)
    return Output.objects.get(pk=leased.pk)


def _lost(by: User) -> None:
    """His machine takes what waits next and dies; somebody else's answers it."""
    leased = outputs_services.for_work(holder=by, node=HOST, seconds=20)
    assert leased is not None
    assert generating.requeue_lost(now=timezone.now() + LATER) == 1
    answer_next(accounts.create_user("generator"))


def test_the_machines_name_stands_nowhere(trained: Trained) -> None:
    everywhere = {"accounts_node", "audit_auditrow", "events_event", "outputs_output"}
    assert naming(HOST) == everywhere
    requeued = AuditRow.objects.get(action="output.requeue")
    assert (requeued.actor, requeued.details["node"]) == (SYSTEM, HOST)
    erasing.erase(NAME)
    assert naming(HOST) == set()
    assert naming(NAME) == {"accounts_namespace"}
    requeued.refresh_from_db()
    assert (requeued.actor, requeued.details) == ("", {})
    assert audit.verify().redacted > 0


def test_what_others_had_written_for_them_stays(trained: Trained) -> None:
    labs = Run.objects.exclude(pk=trained.lab.run.pk).get()
    theirs = Event.objects.filter(kind="lease", topic=labs.topic)
    before = list(theirs.values_list("data", flat=True))
    erasing.erase(NAME)
    kept = Output.objects.get(pk=trained.alices.pk)
    assert (kept.text, kept.lease_node, kept.state) == (TEXT, "", State.SIGNED)
    assert before
    assert list(theirs.values_list("data", flat=True)) == before


def test_a_samples_text_is_told_to_nobody_again(trained: Trained) -> None:
    told = Event.objects.filter(kind="sample", data__output=str(trained.sample.pk))
    assert [each.data["text"] for each in told] == [SAMPLE]
    erasing.erase(NAME)
    assert naming("numbat") == set()


def test_a_refusal_names_nobody_and_one_from_before_is_forgotten(trained: Trained) -> None:
    before = f"expected a live acceptance of x@1 by {NAME}, found none"
    ask(trained.checkpoint, by=trained.person)
    conduct.withdraw(trained.lab.version, trained.person.namespace, trained.person)
    refused = answer_next(trained.lab.people.alice)
    assert (refused.state, refused.failure) == (State.FAILED, "conduct-not-accepted")
    row = AuditRow.objects.get(action="output.refuse")
    assert row.details == {"reason": refused.reason}
    assert NAME not in refused.reason
    Output.objects.filter(pk=refused.pk).update(reason=before)
    with transaction.atomic():
        audit_services.record(SYSTEM, "output.refuse", refused.subject, {"reason": before})
    erasing.erase(NAME)
    assert naming(NAME) == {"accounts_namespace"}
    row.refresh_from_db()
    assert row.details == {"reason": refused.reason}


def test_what_a_machine_stated_before_anything_was_published_opens_for_nobody(
    trained: Trained,
) -> None:
    asked = pool_services.Submitted.parse(submission(trained.lab, trained.machine, 40))
    received = pool_services.submit(trained.lease.id, asked, by=trained.person, now=timezone.now())
    advancing.sign(received.pk)
    integrate()
    stated = Checkpoint.objects.get(pk=received.pk).run_statement
    assert stated is not None
    path = f"/ledger/statements/{stated.sha256}/statement.json"
    assert Client().get(path).status_code == 404
    erasing.erase(NAME)
    assert Client().get(path).status_code == 404


def test_the_first_page_shows_others(trained: Trained) -> None:
    labs = Run.objects.exclude(pk=trained.lab.run.pk).get()
    assert (pool.newest_run(), outputs.newest_sample()) == (trained.lab.run, trained.sample)
    erasing.erase(NAME)
    assert (pool.newest_run(), outputs.newest_sample()) == (labs, None)
    shown = Client().get("/")
    assert shown.status_code == 200
    assert shown.context["answer"] is None
    assert "erased" not in shown.content.decode()


def test_runs_are_over_and_stay_it(trained: Trained) -> None:
    open_one = pool_services.create_run(
        trained.lab.project, RECIPE, trained.lab.dataset, trained.person
    )
    erasing.erase(NAME)
    pool_services.expire(now=timezone.now() + LATER)
    runs = Run.objects.filter(pk__in=(trained.lab.run.pk, open_one.pk))
    assert {run.state for run in runs} == {RunState.COMPLETED}
    assert Lease.objects.get(pk=trained.lease.pk).state == LeaseState.RELEASED
