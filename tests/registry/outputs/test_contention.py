# SPDX-License-Identifier: Apache-2.0
"""Many callers, generation programs and sweeps at the same moment: each output is made once."""

from __future__ import annotations

from django.utils import timezone

from registry.accounts.models import User
from registry.audit.models import AuditRow
from registry.ledger.models import Statement
from registry.outputs import asking, services
from registry.outputs.errors import QueueFull
from registry.outputs.models import Output, State
from tests.registry.outputs import world
from tests.registry.people import People
from tests.registry.pool.test_contention import CALLERS, at_the_same_moment
from tests.registry.pool.world import found, on_paper, paper_checkpoint
from tests.running import Authority


def test_the_queue_takes_no_more_than_its_limit(transactional_db: None, people: People) -> None:
    lab = on_paper(people)
    checkpoint = paper_checkpoint(lab, 20)

    def ask() -> bool:
        try:
            world.ask(lab, checkpoint)
        except QueueFull:
            return False
        return True

    assert sum(at_the_same_moment([ask] * CALLERS)) == asking.MAX_WAITING
    assert Output.objects.count() == asking.MAX_WAITING


def test_one_request_is_leased_once_and_signed_once(
    transactional_db: None, authority: Authority, people: People
) -> None:
    lab = found(people)
    world.ask(lab, world.published(lab))
    operator = world.operator()
    leased = at_the_same_moment([lambda: lease(operator)] * CALLERS)
    (work,) = [one for one in leased if one is not None]
    assert work.lease_id is not None
    services.complete(work.lease_id, world.TEXT, holder=operator, now=timezone.now())
    statements = Statement.objects.count()
    at_the_same_moment([lambda: services.advance(work.pk)] * 25)
    assert Output.objects.get().state == State.SIGNED
    assert Statement.objects.count() == statements + 1
    assert AuditRow.objects.filter(action="output.sign").count() == 1


def test_a_checkpoint_gets_one_sample(transactional_db: None, people: People) -> None:
    paper_checkpoint(on_paper(people), 20)
    assert sum(at_the_same_moment([services.queue_samples] * 25)) == 1
    assert Output.objects.filter(is_sample=True).count() == 1


def lease(operator: User) -> Output | None:
    return services.lease(holder=operator, node="generator", now=timezone.now())
