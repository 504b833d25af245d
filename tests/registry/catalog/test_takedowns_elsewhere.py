# SPDX-License-Identifier: Apache-2.0
"""What else has the same bytes: named to whoever takes down, and taken down if they say so."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command

from registry.catalog import queries, services
from registry.catalog.errors import InvalidTakedown
from registry.catalog.models import Checkpoint, State
from registry.catalog.queries import withheld
from registry.catalog.services import advancing, takedowns
from registry.catalog.services.takedowns import Order
from tests.registry.catalog.world import FILES, World, by_person, project, publish
from tests.registry.people import client_of
from tests.registry.pool.test_contention import at_the_same_moment
from tests.running import Authority

pytestmark = pytest.mark.django_db
REASON = "It holds what a court forbade."
ORDER = Order(reason=REASON, by="system")
EVERYWHERE = replace(ORDER, is_everywhere=True)


def copied(world: World, name: str = "other") -> Checkpoint:
    """Charlie has the same weights, with a card of his own."""
    charlie = world.people.charlie
    other = replace(world, project=project(charlie.namespace, world.conduct, charlie, name))
    return publish(by_person(other, files={**FILES, "README.md": b"# Copied\n"}, user=charlie))


def states(*of: Checkpoint) -> list[str]:
    found = Checkpoint.objects.in_bulk([each.pk for each in of])
    return [found[each.pk].state for each in of]


def goes(checkpoint: Checkpoint) -> bool:
    """Whether this one took it down."""
    try:
        takedowns.take_down_checkpoint(checkpoint, EVERYWHERE)
    except InvalidTakedown:
        return False
    return True


def weights(of: Checkpoint) -> str:
    return of.files.get(name="model.safetensors").sha256


def test_others_keep_it_up_and_are_named(
    world: World, first: Checkpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = copied(world)
    call_command("takedown", "lab/small@first", reason=REASON, yes=True)
    said = capsys.readouterr().err
    assert "keep them up (--everywhere takes all down):\n  charlie/other@first\n" in said
    assert states(first, copy) == ["taken-down", "published"]
    assert queries.open_blobs([weights(copy)]) == {weights(copy)}


def test_all_of_it_goes_where_that_is_said(
    world: World, first: Checkpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    copy, later = copied(world), publish(by_person(world, "later", {**FILES, "a.txt": b"a"}))
    call_command("takedown", "lab/small@first", reason=REASON, yes=True, everywhere=True)
    said = capsys.readouterr().err
    assert "go with it:\n  lab/small@later\n  charlie/other@first\n" in said
    assert states(first, copy, later) == ["taken-down"] * 3
    assert withheld.among([weights(first)]) == {weights(first)}


def test_a_project_goes_with_what_others_have_of_it(world: World, first: Checkpoint) -> None:
    copy = copied(world)
    takedowns.take_down_project(world.project, EVERYWHERE)
    assert states(first, copy) == ["taken-down"] * 2
    copy.project.refresh_from_db()
    assert copy.project.taken_down_at is None


def test_a_licence_that_many_have_makes_nobody_go(world: World, first: Checkpoint) -> None:
    publish(by_person(world, "text", {"config.json": FILES["config.json"]}))
    assert list(takedowns.elsewhere(world.project, first)) == []


def test_the_api_names_them_too(world: World, first: Checkpoint) -> None:
    copy, staff = copied(world), world.people.bob
    staff.is_staff = True
    staff.save()
    client = client_of(None)
    client.force_login(staff)
    address = "/api/v1/projects/lab/small/checkpoints/first/takedown"
    answer = client.post(address, {"reason": REASON, "everywhere": True})
    assert answer.json() == {
        "reason": REASON,
        "everywhere": True,
        "elsewhere": ["charlie/other@first"],
    }
    assert states(copy) == ["taken-down"]


def test_nothing_goes_unless_somebody_says_yes(world: World, first: Checkpoint) -> None:
    with pytest.raises(CommandError, match="expected --yes, where nobody is at a terminal"):
        call_command("takedown", "lab/small@first", reason=REASON)
    assert states(first) == ["published"]


def test_two_at_once_wait_for_each_other(
    transactional_db: None, authority: Authority, world: World, first: Checkpoint
) -> None:
    copy = copied(world)
    done = at_the_same_moment([lambda: goes(first), lambda: goes(copy)] * 25)
    assert (sum(done), states(first, copy)) == (1, ["taken-down"] * 2)


def test_what_is_published_meanwhile_is_not_left_standing(
    transactional_db: None, authority: Authority, world: World, first: Checkpoint
) -> None:
    files = {**FILES, "a.txt": b"a"}
    received = services.receive(by_person(world, "later", files))
    advancing.sign(received.pk)
    ways = [lambda: goes(first), lambda: bool(services.advance(received.pk).state)]
    at_the_same_moment((ways * 13)[:25])
    assert services.advance(received.pk).state == State.TAKEN_DOWN
