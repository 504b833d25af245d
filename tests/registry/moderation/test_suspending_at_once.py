# SPDX-License-Identifier: Apache-2.0
"""A party is suspended while fifty signatures are made: none begins after the commit."""

from __future__ import annotations

import secrets
import time
import uuid

from django.db import transaction

from assay.signing.certificates import Purpose
from assay.signing.statements import DatasetClaim
from registry.accounts import sanctioning
from registry.accounts.errors import Suspended
from registry.authority import services as certifying
from registry.conduct import queries as conduct
from registry.conduct import standing
from registry.conduct.errors import NotAccepted
from registry.ledger.models import Statement
from tests.elsewhere import blocked, elsewhere
from tests.registry.people import People
from tests.registry.pool.test_contention import AT_ONCE, at_the_same_moment
from tests.registry.pool.world import found, on_paper
from tests.running import Authority
from tests.until import until


def suspend(people: People) -> None:
    with transaction.atomic():
        standing.hold_all(people.bob.namespace)
        sanctioning.suspend(people.bob.namespace, case=uuid.uuid4(), until=None)


def test_no_signature(transactional_db: None, authority: Authority, people: People) -> None:
    lab, bob = found(people), people.bob.namespace
    under = conduct.reference(lab.version)
    certifying.ensure(Purpose.CHECKPOINT, bob, under=under)
    before = Statement.objects.count()

    def sign() -> tuple[float, bool]:
        began = time.monotonic()
        statement = DatasetClaim(
            manifest_sha256=secrets.token_hex(32),
            name="bob/texts",
            title="Texts",
            source="a test",
            license="CC0-1.0",
            files=1,
            bytes=1,
        ).statement()
        try:
            certifying.sign(Purpose.CHECKPOINT, bob, statement, under=under)
        except (NotAccepted, Suspended):
            return began, False
        return began, True

    def end() -> tuple[float, bool]:
        suspend(people)
        return time.monotonic(), False

    *attempts, (committed, _) = at_the_same_moment([sign] * (AT_ONCE - 1) + [end])
    attempts += at_the_same_moment([sign] * AT_ONCE)
    done = [began for began, is_done in attempts if is_done]
    assert [began for began in done if began > committed] == []
    assert Statement.objects.count() == before + len(done)


def test_what_waited_for_a_suspension_finds_nothing(transactional_db: None, people: People) -> None:
    lab, bob = on_paper(people), people.bob.namespace
    under = conduct.reference(lab.version)
    later: list[object] = []

    def hold() -> None:
        with transaction.atomic():
            later.append(standing.hold(bob, under))

    with transaction.atomic():
        standing.hold_all(bob)
        holding = elsewhere(hold, is_awaited=False)
        until(blocked)
        sanctioning.suspend(bob, case=uuid.uuid4(), until=None)
    holding.join()
    assert later == [None]
