# SPDX-License-Identifier: Apache-2.0
"""The janitor: what no shard came for goes after weeks, and what a crash left goes at once."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone

from registry.accounts import services as accounts
from registry.accounts.models import Role
from registry.hub import tasks
from registry.hub.models import Xorb
from registry.hub.xet import index, sweeping
from registry.site import erasing
from registry.storage import quotas
from registry.storage import services as storage
from registry.storage.models import Blob, Holding, Usage
from tests.elsewhere import blocked, elsewhere
from tests.registry.catalog.world import World
from tests.registry.hub.xet.made import of, xorb
from tests.registry.hub.xet.sending import Sender, granted
from tests.until import until

pytestmark = pytest.mark.django_db(transaction=True)

SENT = xorb(b"one", b"two", b"three")
LATER = sweeping.WAITS + timedelta(days=1)


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_what_no_shard_came_for_stays_for_weeks_and_goes(alice: Sender, data_folder: Path) -> None:
    alice.xorb(SENT)
    assert sweeping.sweep(now=timezone.now() + sweeping.WAITS - timedelta(hours=1)) == 0
    assert alice.shard(of(b"one", SENT.term(0, 1))).status == 200
    assert sweeping.sweep(now=timezone.now() + LATER) == 1
    assert files_in(data_folder) == [digest(b"one")]
    assert quotas.use_of("staged:user:alice").used_bytes == 3
    assert alice.shard(of(b"oneone", SENT.term(0, 1), SENT.term(0, 1))).status == 200
    last = alice.streamed(of(b"onetwo", SENT.term(0, 2)))[-1]
    assert last["code"] == "xorb-unknown"
    assert "which no file came for in time" in last["message"]


def test_of_what_nobody_used_nothing_is_known_later(alice: Sender, data_folder: Path) -> None:
    alice.xorb(SENT)
    sweeping.sweep(now=timezone.now() + LATER)
    assert files_in(data_folder) == []
    assert not Xorb.objects.exists()
    assert not Blob.objects.filter(pk=digest(b"onetwothree")).exists()


def test_two_who_wait_with_the_same_do_not_take_it_from_each_other(
    alice: Sender, bob: Sender, data_folder: Path
) -> None:
    alice.xorb(SENT)
    bob.xorb(SENT)
    Xorb.objects.filter(holder="user:alice").update(sent_at=timezone.now() - LATER)
    sweeping.sweep(now=timezone.now())
    assert files_in(data_folder) == [digest(b"onetwothree")]
    assert bob.shard(of(b"onetwothree", SENT.term(0, 3))).status == 200


def test_what_a_crash_left_released_is_dropped(
    alice: Sender, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(index, "drop_released", lambda *_: 0)
        alice.xorb(SENT)
        alice.shard(of(b"one", SENT.term(0, 1)), of(b"twothree", SENT.term(1, 3)))
    assert len(files_in(data_folder)) == 3
    tasks.sweep()
    assert files_in(data_folder) == sorted([digest(b"one"), digest(b"twothree")])
    assert Xorb.objects.get().staged == ""


def test_of_who_is_erased_nothing_is_left(world: World, data_folder: Path) -> None:
    people = world.people
    accounts.add_member(people.lab, people.charlie, Role.MEMBER, by=people.alice)
    granted(people.charlie).xorb(SENT)
    erasing.erase("charlie")
    assert not Xorb.objects.exists()
    assert files_in(data_folder) == []
    for rows in (Holding.objects, Usage.objects):
        assert not rows.filter(holder__contains="charlie").exists()


def test_an_erasure_and_the_janitor_do_not_stop_each_other(world: World) -> None:
    people = world.people
    accounts.add_member(people.lab, people.charlie, Role.MEMBER, by=people.alice)
    granted(people.charlie).xorb(SENT)
    with transaction.atomic():
        storage.release("staged:user:charlie", ())  # as the janitor begins
        erases = elsewhere(lambda: erasing.erase("charlie"), is_awaited=False)
        until(blocked)
        index.release("user:charlie", list(Xorb.objects.select_for_update()))
    erases.join()
    assert not Xorb.objects.exists()
