# SPDX-License-Identifier: Apache-2.0
"""A request is queued for who may have it signed, as long as the queue is short."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from registry.accounts.models import User
from registry.audit.models import AuditRow
from registry.catalog.models import Checkpoint
from registry.catalog.models import State as CheckpointState
from registry.conduct import services as conduct
from registry.conduct.errors import NotAccepted
from registry.outputs import asking, services
from registry.outputs.errors import (
    CheckpointUnknown,
    GenerationQuotaExceeded,
    NotGeneratable,
    QueueFull,
)
from registry.outputs.models import Output, State
from registry.pool.models import Run
from tests.registry.outputs import world
from tests.registry.pool.world import RECIPE, Lab, paper_checkpoint


def test_a_request_is_queued_in_the_callers_name(lab: Lab, checkpoint: Checkpoint) -> None:
    output = world.ask(lab, checkpoint)
    assert (output.state, output.caller) == (State.QUEUED, lab.people.bob.namespace)
    assert output.sampling == world.ASKED
    assert len(bytes(output.salt or b"")) == 32
    assert AuditRow.objects.filter(action="output.request", actor="user:bob").count() == 1
    assert str(output) == f"output {output.id} (queued)"


def test_a_full_queue_says_when_to_ask_again(lab: Lab, checkpoint: Checkpoint) -> None:
    for _ in range(asking.MAX_WAITING):
        world.ask(lab, checkpoint)
    with pytest.raises(QueueFull) as refusal:
        world.ask(lab, checkpoint)
    assert refusal.value.headers == {"Retry-After": "5"}
    assert Output.objects.count() == asking.MAX_WAITING


def test_a_person_asks_for_so_many_texts_a_day(
    lab: Lab, checkpoint: Checkpoint, settings: Settings
) -> None:
    settings.GENERATION_QUOTA = 2
    old = world.ask(lab, checkpoint)
    world.ask(lab, checkpoint)
    with pytest.raises(GenerationQuotaExceeded) as refusal:
        world.ask(lab, checkpoint)
    assert "at most 2 texts and pictures asked for by bob in a day, found 2" in str(refusal.value)
    assert refusal.value.headers == {"Retry-After": "3600"}
    Output.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=1))
    world.ask(lab, checkpoint)


def test_what_is_being_answered_does_not_wait(
    lab: Lab, checkpoint: Checkpoint, operator: User
) -> None:
    for _ in range(asking.MAX_WAITING):
        world.ask(lab, checkpoint)
    services.lease(holder=operator, node="generator", now=timezone.now())
    world.ask(lab, checkpoint)


def test_an_unknown_checkpoint_is_refused(lab: Lab) -> None:
    request = services.Request.parse({"checkpoint": f"sha256:{'0' * 64}", **world.ASKED})
    with pytest.raises(CheckpointUnknown):
        services.ask(request, by=lab.people.bob)
    assert Output.objects.count() == 0


@pytest.mark.parametrize("state", ["received", "signed", "rejected"])
def test_a_checkpoint_that_is_not_published_is_as_unknown(lab: Lab, state: str) -> None:
    checkpoint = paper_checkpoint(lab, 20, state=CheckpointState(state))
    with pytest.raises(CheckpointUnknown):
        world.ask(lab, checkpoint)
    assert services.queue_samples() == 0


def test_a_checkpoint_without_weights_cannot_be_asked(lab: Lab) -> None:
    checkpoint = paper_checkpoint(lab, 20, without="config.json")
    with pytest.raises(NotGeneratable, match=r"without config\.json"):
        world.ask(lab, checkpoint)


def test_who_has_not_accepted_the_conduct_is_refused(lab: Lab, checkpoint: Checkpoint) -> None:
    lab.withdraw(lab.people.bob)
    with pytest.raises(NotAccepted, match=r"/conduct/community-language-models/1\.0"):
        world.ask(lab, checkpoint)
    assertion = services.Assertion.parse(world.asserted_of(checkpoint))
    with pytest.raises(NotAccepted):
        services.assert_content(assertion, by=lab.people.bob)
    assert Output.objects.count() == 0


def test_each_checkpoint_of_a_run_gets_one_sample(lab: Lab) -> None:
    paper_checkpoint(lab, 20)
    checkpoint = paper_checkpoint(lab, 40)
    paper_checkpoint(lab, 1, is_by_hand=True)
    assert [services.queue_samples(), services.queue_samples()] == [2, 0]
    sample = Output.objects.get(checkpoint=checkpoint)
    assert (sample.is_sample, sample.caller) == (True, lab.people.lab.namespace)
    assert sample.sampling == RECIPE["sample"]
    assert AuditRow.objects.filter(action="output.sample", actor="system").count() == 2


def test_without_the_owners_acceptance_there_is_no_sample(lab: Lab) -> None:
    paper_checkpoint(lab, 20)
    conduct.withdraw(lab.version, lab.people.lab.namespace, lab.people.alice)
    assert services.queue_samples() == 0
    lab.accept_as(lab.people.lab.namespace)
    assert services.queue_samples() == 1


def test_those_that_can_have_no_sample_hide_none_that_can(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MAX_SAMPLES_AT_ONCE", 1)
    fit = paper_checkpoint(lab, 20)
    paper_checkpoint(lab, 40, without="config.json")
    assert services.queue_samples() == 1
    assert Output.objects.get().checkpoint == fit


def test_samples_do_not_fill_the_queue(lab: Lab, checkpoint: Checkpoint) -> None:
    paper_checkpoint(lab, 20)
    services.queue_samples()
    for _ in range(asking.MAX_WAITING):
        world.ask(lab, checkpoint)
    assert Output.objects.count() == asking.MAX_WAITING + 1


def test_a_sample_beyond_todays_limits_holds_up_no_other(lab: Lab) -> None:
    paper_checkpoint(lab, 20)
    sample = {**RECIPE["sample"], "max_new_bytes": 4096}
    Run.objects.update(recipe={**RECIPE, "sample": sample})
    assert services.queue_samples() == 0
