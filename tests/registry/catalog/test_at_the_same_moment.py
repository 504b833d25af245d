# SPDX-License-Identifier: Apache-2.0
"""A merge and a close, a commit and a takedown: whoever comes second is told of the first."""

from __future__ import annotations

from functools import partial
from threading import Thread

import pytest
from django.db import connection, transaction

from registry.catalog import queries, services, tasks
from registry.catalog.errors import PullDecided, RefBusy, TakenDown
from registry.catalog.models import Checkpoint, Revision
from registry.catalog.models.proposed import Pull, Status
from registry.catalog.models.told import Happening
from registry.catalog.queries import pulls, revisions
from registry.catalog.services import Remove, commits, hashing, moving, takedowns
from registry.catalog.services.takedowns import Order
from tests.elsewhere import blocked, elsewhere
from tests.registry.catalog.test_commits import put, wanted
from tests.registry.catalog.test_pulls import CHARLIE, opened, proposal
from tests.registry.catalog.weights import weights
from tests.registry.catalog.world import World
from tests.until import until

pytestmark = pytest.mark.django_db(transaction=True)


def now(world: World) -> Pull:
    return pulls.pull(world.project, 1)


def test_a_close_that_comes_first_leaves_nothing_to_merge(world: World, first: Checkpoint) -> None:
    pull = opened(world)
    with transaction.atomic():
        services.set_status(pull, Status.CLOSED, by=world.people.charlie)
        merges = elsewhere(lambda: services.merge(pull, by=world.people.alice), is_awaited=False)
        until(blocked)  # it found the pull request open, and checked what it changes
    with pytest.raises(PullDecided, match="which is closed"):
        merges.join()
    assert (now(world).status, now(world).merging) == (Status.CLOSED, "")
    assert revisions.find(world.project, "main").checkpoint == first
    assert not Revision.objects.filter(title="Merge pull request 1").exists()


def test_a_close_during_a_merge_is_refused(world: World, first: Checkpoint) -> None:
    pull, charlie = opened(world), world.people.charlie
    with transaction.atomic():
        takedowns._hold_all()  # what is signed meanwhile waits before it is published
        merges = elsewhere(lambda: services.merge(pull, by=world.people.alice), is_awaited=False)
        until(lambda: now(world).merging)
        with pytest.raises(PullDecided, match="on their way to main or there"):
            elsewhere(lambda: services.set_status(pull, Status.CLOSED, by=charlie))
        more = proposal(world, put("b.txt", b"b", CHARLIE))
        with pytest.raises(PullDecided, match="on their way to main or there"):
            elsewhere(lambda: services.commit_to(now(world), more))
    merges.join()
    assert now(world).status == Status.MERGED
    assert now(world).merged == revisions.find(world.project, "main").revision


def test_two_merges_are_one(world: World, first: Checkpoint) -> None:
    pull, people = opened(world), world.people
    with transaction.atomic():
        moving.hold(world.project)
        one = elsewhere(lambda: services.merge(pull, by=people.alice), is_awaited=False)
        other = elsewhere(lambda: services.merge(pull, by=people.bob), is_awaited=False)
        until(lambda: len(blocked()) > 1)  # both are to keep the same revision
    one.join()
    other.join()
    assert Revision.objects.filter(title="Merge pull request 1").count() == 1
    assert [each.text for each in now(world).remarks.filter(kind="status-change")] == ["merged"]


def test_a_merge_that_died_is_made_good_though_it_was_undone_since(
    world: World, first: Checkpoint
) -> None:
    pull = opened(world, put("a.txt", b"a", CHARLIE))
    merged = services.merge(pull, by=world.people.alice)
    Pull.objects.update(status=Status.OPEN, merged=None)  # as a crash at the commit point left it
    services.commit(wanted(world, Remove(name="a.txt")))
    with pytest.raises(PullDecided, match="merging it again makes good"):
        services.set_status(now(world), Status.CLOSED, by=world.people.charlie)
    assert services.merge(now(world), by=world.people.alice) == merged
    assert (now(world).status, now(world).merged) == (Status.MERGED, merged)
    assert revisions.find(world.project, "main").checkpoint == first


def test_a_branch_does_not_go_back_to_what_is_taken_down_meanwhile(
    world: World, first: Checkpoint
) -> None:
    at = services.commit(wanted(world, put("new.txt", b"new")))
    Happening.objects.all().delete()
    goes_back = wanted(world, Remove(name="new.txt"))
    with transaction.atomic():
        takedowns.take_down_checkpoint(first, Order(reason="It had to.", by="system"))
        commits = elsewhere(lambda: services.commit(goes_back), is_awaited=False)
        until(blocked)  # it found the files published before
    with pytest.raises(TakenDown, match="It had to"):
        commits.join()
    assert revisions.find(world.project, "main").revision == at
    assert [each.kind for each in Happening.objects.all()] == ["checkpoint.taken-down"]


def test_who_says_no_parent_waits_for_their_turn(
    world: World, first: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TURN_SECONDS", "PATIENCE_SECONDS"):
        monkeypatch.setattr(commits, name, 300)
    changes = [put(f"{number}.txt", b"%d" % number) for number in range(6)]
    writers = [
        elsewhere(partial(services.commit, wanted(world, change)), is_awaited=False)
        for change in changes
    ]
    for writer in writers:
        writer.join()
    found = revisions.find(world.project, "main").checkpoint
    assert found is not None
    there = {file.name for file in queries.manifest(found).files}
    assert there >= {change.file.name for change in changes}
    assert Revision.objects.filter(title="Say more").count() == len(changes)


def test_a_turn_that_does_not_come_is_said_with_when_to_ask_again(
    world: World, first: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commits, "TURN_SECONDS", 0)
    changes = [put(f"{number}.txt", b"%d" % number) for number in range(2)]
    with transaction.atomic():
        moving.hold(world.project)
        writers = [
            elsewhere(partial(services.commit, wanted(world, change)), is_awaited=False)
            for change in changes
        ]
        until(lambda: len(blocked()) > 1)  # both are to write on top of the same
    refused = [error for error in map(_end, writers) if error is not None]
    assert [error.headers for error in refused] == [{"Retry-After": "2"}]
    assert "expected main to stand still" in str(refused[0])


def _end(of: Thread) -> RefBusy | None:
    try:
        of.join()
    except RefBusy as busy:
        return busy
    return None


def test_a_commit_waits_while_others_hash_its_tensors(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "INLINE_BYTES", 0)
    waiting, sessions = wanted(world, put("model.safetensors", weights())), []

    def commit() -> None:
        connection.ensure_connection()
        sessions.append(connection.connection)
        services.commit(waiting)

    first = elsewhere(commit, is_awaited=False)
    until(lambda: sessions and sessions[0].closed)  # others need it more
    tasks.hash_waiting()
    first.join()
    assert Revision.objects.get().checkpoint.state == "published"
