# SPDX-License-Identifier: Apache-2.0
"""Of an import that ended, or whose asker left, nothing is left that is held or charged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from django.db import transaction

from registry.accounts.queries import User
from registry.imports import services
from registry.imports.errors import InvalidImport
from registry.imports.models import Import, State
from registry.site import erasing
from registry.storage import locks, quotas
from registry.storage import services as storage
from tests.elsewhere import blocked, elsewhere
from tests.registry.catalog.world import World
from tests.registry.imports.test_imports import BYTES, wanted
from tests.until import until

pytestmark = pytest.mark.django_db(transaction=True)


def refuse(row: Import, _: User) -> None:
    services._end(row, State.REFUSED, reason="expected another")


def erase(_: Import, person: User) -> None:
    erasing.erase(person.username)


@pytest.mark.parametrize("end", [refuse, erase])
def test_who_sends_the_same_bytes_while_it_ends_is_not_in_its_way(
    world: World, end: Callable[[Import, User], None]
) -> None:
    bob = world.people.bob
    row = services.ask(wanted(world, by=bob))
    digest, holder = row.source_sha256, storage.staged(bob.actor)
    with transaction.atomic():
        locks.coming([digest])  # as whoever keeps a blob begins
        ends = elsewhere(lambda: end(row, bob), is_awaited=False)
        until(blocked)
        storage.record({digest: len(BYTES)}, holder=holder)  # and as they go on
    ends.join()
    assert storage.held({holder}, {digest}) == frozenset()


def test_who_asks_for_what_is_being_released_is_not_in_its_way(world: World) -> None:
    asked = wanted(world)
    with transaction.atomic():
        storage.hold_alone({asked.sha256})
        asks = elsewhere(lambda: services.ask(asked), is_awaited=False)
        until(blocked)
        storage.release(asked.actor, {asked.sha256})
    with pytest.raises(InvalidImport, match="bytes that you sent"):
        asks.join()


def test_of_who_leaves_what_their_jobs_asked_for_goes_too(world: World) -> None:
    job, bob = "publisher:7", world.people.bob
    storage.store(BYTES, holder=job)
    row = services.ask(replace(wanted(world, by=bob), holder=job))
    assert storage.holds(storage.staged(job), row.source_sha256)
    erasing.erase(bob.username)
    assert not storage.sizes([row.source_sha256])
    assert quotas.use_of(storage.staged(job)).used_bytes == 0
