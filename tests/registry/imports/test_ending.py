# SPDX-License-Identifier: Apache-2.0
"""Of an import that ended, or whose asker left, nothing is left that is held or charged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import BinaryIO

import pytest
from django.db import transaction

from assay.signing.digests import sha256
from registry.accounts.queries import User
from registry.catalog.services import hashing
from registry.imports import apart, services
from registry.imports.errors import InvalidImport
from registry.imports.models import Import, State
from registry.site import erasing
from registry.storage import locks, quotas
from registry.storage import services as storage
from registry.storage.models import Holding, Usage
from tests.elsewhere import blocked, elsewhere
from tests.registry.catalog.weights import weights
from tests.registry.catalog.world import World
from tests.registry.imports.test_imports import BYTES, converter, made, wanted
from tests.until import until

__all__ = ["converter"]  # the fixture
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


NO_WEIGHTS = b"no safetensors at all"


def test_the_result_of_a_refused_one_is_gone_and_not_charged(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "convert", made(NO_WEIGHTS))
    asked = wanted(world)
    before = quotas.use_of(asked.actor).used_bytes
    services.ask(asked)
    services.carry_out()
    row = Import.objects.get()
    assert (row.state, row.result_sha256) == (State.REFUSED, sha256(NO_WEIGHTS))
    assert not storage.sizes([row.source_sha256, row.result_sha256])
    assert quotas.use_of(asked.actor).used_bytes == before - len(BYTES)


def test_what_the_asker_had_sent_before_stays_theirs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "convert", made(NO_WEIGHTS))
    asked = wanted(world)
    storage.store(NO_WEIGHTS, holder=asked.actor)
    services.ask(asked)
    services.carry_out()
    assert Import.objects.get().state == State.REFUSED
    assert storage.holds(asked.actor, sha256(NO_WEIGHTS))


def test_what_was_committed_before_it_was_refused_stays(
    world: World, converter: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A revision of the project names it."""
    asked = wanted(world)
    services.ask(asked)
    monkeypatch.setattr(hashing, "INLINE_BYTES", 0)
    services.carry_out()
    row = Import.objects.select_related("project__owner", "person").get()
    assert (row.state, bool(row.oid)) == (State.CONVERTED, True)
    services._end(row, State.REFUSED, reason="expected another")
    assert storage.holds(asked.actor, row.result_sha256)


def test_of_who_leaves_what_was_made_for_their_jobs_goes_too(
    world: World, converter: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, bob = "publisher:7", world.people.bob
    storage.store(BYTES, holder=job)
    row = services.ask(replace(wanted(world, by=bob), holder=job))
    monkeypatch.setattr(services, "_commit", lambda _: None)  # as if the signer were away
    services.carry_out()
    row.refresh_from_db()
    assert (row.state, storage.holds(job, row.result_sha256)) == (State.CONVERTED, True)
    erasing.erase(bob.username)
    assert not storage.sizes([row.source_sha256, row.result_sha256])


def test_who_leaves_while_it_is_converted_leaves_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = world.people.bob
    actor = bob.actor
    services.ask(wanted(world, by=bob))

    def leaves(_: BinaryIO, target: BinaryIO, *__: str, size_bytes: int) -> None:
        elsewhere(lambda: erasing.erase(bob.username))
        target.write(weights())

    monkeypatch.setattr(apart, "convert", leaves)
    services.carry_out()
    assert not storage.sizes([sha256(weights())])
    assert not Holding.objects.filter(holder__endswith=actor).exists()
    assert not Usage.objects.filter(holder__endswith=actor).exists()
