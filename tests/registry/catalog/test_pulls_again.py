# SPDX-License-Identifier: Apache-2.0
"""Pull requests that are sent again, opened again, judged late, or left by one of both sides."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from django.db import connections
from django.utils import timezone

from registry.audit.models import AuditRow
from registry.catalog import services
from registry.catalog.errors import (
    AccessNeeded,
    BlobMissing,
    NotFound,
    PullDecided,
    PullRefused,
    RefBusy,
)
from registry.catalog.models import Checkpoint, Gate, Project, Visibility
from registry.catalog.models.found import Listing
from registry.catalog.models.proposed import Pull, Remark, Status
from registry.catalog.queries import pulls, revisions
from registry.catalog.services import Commit, Proposal, Remove, pulling
from registry.conduct import services as conduct
from registry.site import erasing
from registry.storage import services as storage
from tests.registry.catalog.test_commits import names, put
from tests.registry.catalog.test_pulls import CHARLIE, on_main, opened, proposal
from tests.registry.catalog.world import FILES, World, project


def test_a_number_that_was_given_is_never_given_again(world: World, first: Checkpoint) -> None:
    with pytest.raises(BlobMissing):
        opened(world, put("a.txt", b"what alice sent"))
    assert AuditRow.objects.get(action="pull.open").subject == "lab/small#1"
    assert opened(world).number == 2


def test_the_same_sent_again_is_the_same_one(world: World, first: Checkpoint) -> None:
    for parent in (None, first.oid):
        wanted = proposal(world, put("a.txt", b"a", CHARLIE), Remove(name="config.json"))
        wanted = replace(wanted, parent=parent)
        made = services.propose_changes(world.project, wanted)
        on_main(world, put("notes.txt", f"{parent}".encode()))
        assert services.propose_changes(world.project, wanted) == made
        assert services.propose_changes(world.project, replace(wanted, title="Other"))[0] != made[0]
    assert Pull.objects.count() == 4


@pytest.mark.django_db(transaction=True)
def test_the_same_sent_many_times_at_once_is_one(world: World, first: Checkpoint) -> None:
    wanted = proposal(world, put("a.txt", b"a", CHARLIE))

    def ask(_: int) -> int | None:
        try:
            return services.propose_changes(world.project, wanted)[0].number
        except RefBusy:  # told to try again
            return None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(ask, range(8))) - {None} == {1}
    assert Pull.objects.count() == 1


def test_the_same_later_or_after_it_was_closed_is_another(world: World, first: Checkpoint) -> None:
    change = put("a.txt", b"a", CHARLIE)
    pull = opened(world, change)
    services.set_status(pull, Status.CLOSED, by=world.people.charlie)
    assert opened(world, change).number == 2
    Pull.objects.update(created_at=timezone.now() - pulling.SENT_AGAIN_WITHIN)
    assert opened(world, change).number == 3


def test_what_changed_of_the_project_since_it_was_looked_at_counts(
    world: World, first: Checkpoint
) -> None:
    """The caller's row is older than what is decided by."""
    alice, charlie, looked_at = world.people.alice, world.people.charlie, world.project
    now = Project.objects.get(pk=looked_at.pk)
    services.set_gate(now, Gate.ASKS, "Who are you?", by=alice)
    with pytest.raises(AccessNeeded):
        services.propose(looked_at, by=charlie, title="Now")
    services.set_gate(now, Gate.OPEN, "", by=alice)
    services.show(now, Visibility.PRIVATE, by=alice)
    with pytest.raises(NotFound, match="found none that you see"):
        services.propose(looked_at, by=charlie, title="Now")
    services.show(now, Visibility.PUBLIC, by=alice)
    services.end(now, by=alice)
    with pytest.raises(PullRefused, match="a project that takes pull requests"):
        services.propose(looked_at, by=charlie, title="Now")


def test_one_that_is_opened_again_counts_like_a_new_one(
    world: World, first: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulling, "MAX_OPEN", 1)
    alice, charlie = world.people.alice, world.people.charlie
    pull = opened(world)
    services.set_status(pull, Status.OPEN, by=charlie)  # which it is
    services.set_status(pull, Status.CLOSED, by=charlie)
    other = opened(world, put("b.txt", b"b", CHARLIE))
    for person in (alice, charlie):
        with pytest.raises(PullRefused, match=r"fewer than 1 .* of charlie in lab/small"):
            services.set_status(pull, Status.OPEN, by=person)
    services.set_status(other, Status.CLOSED, by=charlie)
    services.set_status(pull, Status.OPEN, by=alice)


def test_one_who_leaves_is_named_nowhere(world: World, first: Checkpoint) -> None:
    pull = opened(world)
    services.comment(pull, "I am Charlie.", by=world.people.charlie)
    services.merge(pull, by=world.people.alice)
    services.rename(pull, "Charlie's", by=world.people.charlie)
    draft = services.propose(world.project, by=world.people.charlie, title="Charlie's next")
    erasing.erase("charlie")
    found = Pull.objects.order_by("number")
    assert [(each.author, each.title, each.status) for each in found] == [
        (None, "", "merged"),
        (None, "", "closed"),
    ]
    assert "Charlie" not in str(list(Remark.objects.values_list("text", "before")))
    merged = revisions.find(world.project, "main").revision
    assert merged is not None
    assert (merged.title, names(merged)) == ("Merge pull request 1", list(FILES))
    left = pulls.pull(world.project, draft.number)
    assert (revisions.proposed(left).checkpoint, left.asked_sha256) == (None, "")
    with pytest.raises(PullDecided, match="whose author has left"):
        services.set_status(left, Status.OPEN, by=world.people.alice)


def test_an_owner_who_leaves_takes_what_was_proposed_to_them_along(world: World) -> None:
    bob, charlie = world.people.bob, world.people.charlie
    for person in (bob, charlie):
        conduct.accept(world.conduct, person.namespace, person)
    own = project(bob.namespace, world.conduct, bob, "own")
    wanted = Proposal(by=charlie, title="For you", changes=(put("a.txt", b"a", CHARLIE),))
    pull, _ = services.propose_changes(own, wanted)
    services.merge(pull, by=bob)
    erasing.erase("bob")
    assert not Pull.objects.exists()
    pull.line.refresh_from_db()
    assert pull.line.ended_at is not None


def test_what_was_proposed_to_one_who_leaves_keeps_no_file_of_theirs(world: World) -> None:
    bob, charlie = world.people.bob, world.people.charlie
    for person in (bob, charlie):
        conduct.accept(world.conduct, person.namespace, person)
    own = project(bob.namespace, world.conduct, bob, "own")
    change = put("bobs.txt", b"what Bob wrote", bob.actor)
    services.commit(Commit(user=bob, project=own, title="Mine", changes=(change,)))
    added = put("charlies.txt", b"what Charlie wrote", CHARLIE)
    wanted = Proposal(by=charlie, title="For you", changes=(added,))
    pull, _ = services.propose_changes(own, wanted)
    assert names(revisions.proposed(pull).revision) == ["bobs.txt", "charlies.txt"]  # type: ignore[arg-type]  # there is one
    erasing.erase("bob")
    line = Checkpoint.objects.get(project=pull.line)
    assert (line.manifest, line.files.count()) == ({}, 0)
    kept = storage.sizes([each.file.sha256 for each in (change, added)])
    assert list(kept) == [added.file.sha256]
    assert not Listing.objects.filter(project=pull.line).exists()
