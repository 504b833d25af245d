# SPDX-License-Identifier: Apache-2.0
"""The generation program leases what waits, and answers it once, in time, and as asked."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from registry.accounts.models import User
from registry.audit.models import AuditRow
from registry.catalog.models import Checkpoint
from registry.outputs import generating, services, tasks, waiting
from registry.outputs.errors import LeaseLost, UnusableText
from registry.outputs.models import Output, State
from tests.registry.outputs import world
from tests.registry.outputs.world import TEXT
from tests.registry.pool.world import Lab, paper_checkpoint


def lease(operator: User) -> Output:
    work = services.lease(holder=operator, node="generator", now=timezone.now())
    assert work is not None
    return work


def complete(work: Output, text: str, operator: User) -> Output:
    assert work.lease_id is not None
    return services.complete(work.lease_id, text, holder=operator, now=timezone.now())


def fail(work: Output, operator: User) -> None:
    assert work.lease_id is not None
    services.fail(work.lease_id, "out of memory", holder=operator, now=timezone.now())


def run_out() -> None:
    Output.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))


def test_people_come_before_samples_and_the_oldest_first(
    lab: Lab, checkpoint: Checkpoint, operator: User
) -> None:
    paper_checkpoint(lab, 20)
    services.queue_samples()
    asked = [world.ask(lab, checkpoint) for _ in range(2)]
    leased = [lease(operator) for _ in range(3)]
    assert [one.pk for one in leased[:2]] == [one.pk for one in asked]
    assert leased[2].is_sample
    assert services.lease(holder=operator, node="generator", now=timezone.now()) is None


def test_a_text_is_kept_with_its_digests(lab: Lab, checkpoint: Checkpoint, operator: User) -> None:
    world.ask(lab, checkpoint)
    output = complete(lease(operator), TEXT, operator)
    assert (output.state, output.text) == (State.GENERATED, TEXT)
    assert output.sha256 != output.normalised_sha256
    actions = AuditRow.objects.filter(subject=output.subject).values_list("action", flat=True)
    assert list(actions) == ["output.request", "output.lease", "output.generate"]


def test_a_model_may_have_nothing_to_add(lab: Lab, checkpoint: Checkpoint, operator: User) -> None:
    world.ask(lab, checkpoint)
    assert complete(lease(operator), "", operator).state == State.GENERATED


@pytest.mark.parametrize("text", ["a" * 65, "é" * 33, "a\0b"])
def test_what_was_not_asked_for_is_refused(
    lab: Lab, checkpoint: Checkpoint, operator: User, text: str
) -> None:
    world.ask(lab, checkpoint)
    work = lease(operator)
    with pytest.raises(UnusableText):
        complete(work, text, operator)
    assert Output.objects.get().state == State.LEASED


def test_delivering_twice_is_delivering_once(
    lab: Lab, checkpoint: Checkpoint, operator: User
) -> None:
    world.ask(lab, checkpoint)
    work = lease(operator)
    for _ in range(2):
        complete(work, TEXT, operator)
    assert AuditRow.objects.filter(action="output.generate").count() == 1
    with pytest.raises(LeaseLost, match="one that is generated"):
        complete(work, "another", operator)
    assert Output.objects.get().text == TEXT


def test_only_the_holder_answers(lab: Lab, checkpoint: Checkpoint, operator: User) -> None:
    world.ask(lab, checkpoint)
    work = lease(operator)
    with pytest.raises(LeaseLost):
        complete(work, TEXT, lab.people.alice)
    with pytest.raises(LeaseLost):
        services.complete(uuid.uuid4(), TEXT, holder=operator, now=timezone.now())
    assert Output.objects.get().state == State.LEASED


def test_a_late_answer_is_refused(lab: Lab, checkpoint: Checkpoint, operator: User) -> None:
    world.ask(lab, checkpoint)
    work = lease(operator)
    run_out()
    with pytest.raises(LeaseLost, match="within 60 s"):
        complete(work, TEXT, operator)
    tasks.sweep()
    second = lease(operator)
    with pytest.raises(LeaseLost):
        complete(work, TEXT, operator)
    assert second.lease_id != work.lease_id
    assert complete(second, TEXT, operator).attempts == 2


@pytest.mark.parametrize("is_lost", [True, False])
def test_after_three_attempts_it_has_failed(
    lab: Lab, checkpoint: Checkpoint, operator: User, is_lost: bool
) -> None:
    world.ask(lab, checkpoint)
    for attempt in range(1, generating.MAX_ATTEMPTS + 1):
        work = lease(operator)
        assert work.attempts == attempt
        if is_lost:
            run_out()
            assert services.requeue_lost(now=timezone.now()) == 1
        else:
            fail(work, operator)
    output = Output.objects.get()
    assert (output.state, output.failure) == (State.FAILED, "generation-failed")
    assert output.reason == ("no answer within 60 s" if is_lost else "out of memory")
    assert output.ended_at is not None
    assert services.lease(holder=operator, node="generator", now=timezone.now()) is None
    assert AuditRow.objects.filter(action="output.requeue").count() == 2
    assert AuditRow.objects.filter(action="output.fail").count() == 1


def test_work_is_waited_for(lab: Lab, operator: User) -> None:
    assert services.for_work(holder=operator, node="generator", seconds=0.15) is None
    paper_checkpoint(lab, 20)
    found = services.for_work(holder=operator, node="generator", seconds=5)
    assert found is not None
    assert found.is_sample


def test_an_end_is_not_waited_for_too_long(lab: Lab, checkpoint: Checkpoint) -> None:
    output = services.for_an_end(world.ask(lab, checkpoint).pk, seconds=0.15)
    assert output.state == State.QUEUED


def test_while_waiting_no_connection_is_held(transactional_db: None) -> None:
    from django.db import connection  # noqa: PLC0415 - the thread's own, as it is now

    held: list[bool] = []

    def look() -> bool | None:
        held.append(connection.connection is not None)
        Output.objects.exists()
        return True if len(held) == 3 else None

    assert waiting._until(look, 5)
    assert held[1:] == [False, False]
