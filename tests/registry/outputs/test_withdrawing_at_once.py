# SPDX-License-Identifier: Apache-2.0
"""An acceptance is withdrawn while fifty others use it: none slips through after the commit."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import pytest
from django.db import transaction
from django.utils import timezone

from assay.signing.certificates import Purpose
from assay.signing.statements import DatasetClaim
from registry.accounts.models import User
from registry.authority import services as certifying
from registry.catalog import services as catalog
from registry.catalog.models import Gate
from registry.catalog.queries import gates
from registry.conduct import queries as conduct
from registry.conduct import standing
from registry.conduct.errors import NotAccepted
from registry.conduct.models import Acceptance, PolicyVersion
from registry.ledger.models import Statement
from registry.outputs import services
from registry.outputs.models import Output
from registry.pool import services as pool
from registry.pool.models import Lease
from tests.elsewhere import blocked, elsewhere
from tests.registry.outputs import world
from tests.registry.people import People
from tests.registry.pool.test_contention import AT_ONCE, at_the_same_moment, nodes
from tests.registry.pool.world import RECIPE, Lab, found, on_paper, paper_checkpoint
from tests.running import Authority
from tests.until import until

MANY = 2 * AT_ONCE - 1  # and one who withdraws
Attempt = tuple[float, bool]
"""When it began, and whether it was done."""


def tried(act: Callable[[], object]) -> Callable[[], Attempt]:
    def attempt() -> Attempt:
        began = time.monotonic()
        try:
            act()
        except NotAccepted:
            return began, False
        return began, True

    return attempt


def withdrawn_among(lab: Lab, by: User, acts: Sequence[Callable[[], object]]) -> int:
    """They withdraw among the first of these; returns how many were done, none of them later."""
    first, later = acts[: AT_ONCE - 1], acts[AT_ONCE - 1 :]

    def withdraw() -> Attempt:
        lab.withdraw(by)
        return time.monotonic(), False

    *attempts, (committed, _) = at_the_same_moment([*map(tried, first), withdraw])
    attempts += at_the_same_moment([tried(act) for act in later])
    done = [began for began, is_done in attempts if is_done]
    assert [began for began in done if began > committed] == []
    assert len(done) < AT_ONCE
    return len(done)


def test_no_lease(transactional_db: None, people: People) -> None:
    lab = on_paper(people)
    machines = nodes(lab, MANY)
    for _ in machines:
        pool.create_run(lab.project, RECIPE, lab.dataset, people.alice)
    acts = [partial(pool.claim, node, now=timezone.now()) for node in machines]
    done = withdrawn_among(lab, people.bob, acts)
    assert Lease.objects.count() <= done


def test_no_output(transactional_db: None, people: People) -> None:
    lab = on_paper(people)
    checkpoint = paper_checkpoint(lab, 20)
    assertion = services.Assertion.parse(world.asserted_of(checkpoint))
    act = partial(services.assert_content, assertion, by=people.bob)
    done = withdrawn_among(lab, people.bob, [act] * MANY)
    assert Output.objects.count() == done


def test_no_signature(transactional_db: None, authority: Authority, people: People) -> None:
    lab, bob = found(people), people.bob.namespace
    under = conduct.reference(lab.version)
    certifying.ensure(Purpose.CHECKPOINT, bob, under=under)
    before = Statement.objects.count()

    def sign() -> None:
        statement = DatasetClaim(
            manifest_sha256=secrets.token_hex(32),
            name="bob/texts",
            title="Texts",
            source="a test",
            license="CC0-1.0",
            files=1,
            bytes=1,
        ).statement()
        certifying.sign(Purpose.CHECKPOINT, bob, statement, under=under)

    done = withdrawn_among(lab, people.bob, [sign] * MANY)
    assert Statement.objects.count() == before + done


def test_no_file_of_a_gated_project(transactional_db: None, people: People) -> None:
    lab, charlie = on_paper(people), people.charlie
    lab.accept(charlie)
    project = catalog.set_gate(lab.project, Gate.ASKS, by=people.alice)
    catalog.grant(project, charlie, by=people.alice)
    withdrawn_among(lab, charlie, [partial(gates.check, project, charlie)] * MANY)


def test_a_withdrawal_waits_for_what_is_being_signed(
    transactional_db: None, people: People
) -> None:
    lab, bob = on_paper(people), people.bob.namespace
    under = conduct.reference(lab.version)
    with transaction.atomic():
        assert standing.hold(bob, under) is not None
        withdrawing = elsewhere(lambda: lab.withdraw(people.bob), is_awaited=False)
        until(blocked)
        assert standing.is_good(bob, lab.version)
    withdrawing.join()
    assert not standing.is_good(bob, lab.version)


def test_two_withdrawals_do_not_wait_for_each_other(transactional_db: None, people: People) -> None:
    """Each ends all of the policy; the second one finds nothing, and no deadlock."""
    lab, bob = on_paper(people), people.bob
    later = PolicyVersion.objects.create(
        policy=lab.version.policy,
        version="1.1",
        document={},
        sha256="1" * 64,
        effective_at=timezone.now(),
        statement=lab.version.statement,
    )
    replace(lab, version=later).accept_as(bob.namespace)
    of_bob = Acceptance.objects.filter(party=bob.namespace)
    with transaction.atomic():
        of_bob.select_for_update().get(version=later)
        first = elsewhere(partial(replace(lab, version=later).withdraw, bob), is_awaited=False)
        until(blocked)
        second = elsewhere(partial(lab.withdraw, bob), is_awaited=False)
        until(lambda: len(blocked()) == 2)
    first.join()
    with pytest.raises(NotAccepted):
        second.join()
    assert not of_bob.filter(withdrawn_at=None).exists()


def test_what_waited_for_a_withdrawal_finds_nothing(transactional_db: None, people: People) -> None:
    lab, bob = on_paper(people), people.bob.namespace
    under = conduct.reference(lab.version)
    found_later: list[object] = []

    def hold() -> None:
        with transaction.atomic():
            found_later.append(standing.hold(bob, under))

    with transaction.atomic():
        lab.withdraw(people.bob)
        holding = elsewhere(hold, is_awaited=False)
        until(blocked)
    holding.join()
    assert found_later == [None]
