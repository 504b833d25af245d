# SPDX-License-Identifier: Apache-2.0
"""What is taken down is not given as what somebody proposes, either."""

from __future__ import annotations

import pytest

from registry.catalog import pulling, queries, revisions, takedowns
from registry.catalog.errors import MayNotPublish, RevisionUnknown, TakenDown
from registry.catalog.models import Checkpoint
from registry.conduct import services as conduct
from tests.registry.catalog.test_commits import put
from tests.registry.catalog.test_pulls import CHARLIE, opened, proposal
from tests.registry.catalog.world import World, by_person, publish

REASON = "It is forbidden."


@pytest.fixture
def first(world: World) -> Checkpoint:
    """What is there, and Charlie, who has accepted what it is under."""
    charlie = world.people.charlie
    conduct.accept(world.conduct, charlie.namespace, charlie)
    return publish(by_person(world))


@pytest.mark.parametrize("is_whole", [True, False])
def test_its_files_are_not_given_at_a_pull_request(
    world: World, first: Checkpoint, is_whole: bool
) -> None:
    own = revisions.proposed(opened(world)).checkpoint
    assert own is not None
    if is_whole:
        takedowns.take_down_project(world.project, REASON, by="system")
    else:
        takedowns.take_down_checkpoint(first, REASON, by="system")
    with pytest.raises(TakenDown):
        revisions.find_any(world.project, "refs/pr/1")
    with pytest.raises(RevisionUnknown):
        revisions.find_any(world.project, own.oid)
    weights = first.files.get(name="model.safetensors").sha256
    assert weights not in queries.open_blobs([weights], world.people.charlie)


def test_what_a_pull_request_started_at_is_not_given(world: World, first: Checkpoint) -> None:
    pulling.propose(world.project, by=world.people.charlie, title="Say it better")
    takedowns.take_down_checkpoint(first, REASON, by="system")
    with pytest.raises(TakenDown):
        revisions.find_any(world.project, "refs/pr/1")


def test_nothing_more_is_proposed_to_it(world: World, first: Checkpoint) -> None:
    pull = opened(world)
    takedowns.take_down_project(world.project, REASON, by="system")
    with pytest.raises((MayNotPublish, TakenDown)):
        pulling.commit_to(pull, proposal(world, put("README.md", b"# More\n", CHARLIE)))
