# SPDX-License-Identifier: Apache-2.0
"""What is taken down is not given as what somebody proposes, either."""

from __future__ import annotations

import pytest

from registry.catalog import queries
from registry.catalog.errors import MayNotPublish, RevisionUnknown, TakenDown
from registry.catalog.models import Checkpoint
from registry.catalog.queries import revisions
from registry.catalog.services import pulling, takedowns
from registry.catalog.services.takedowns import Order
from tests.registry.catalog.test_commits import put
from tests.registry.catalog.test_pulls import CHARLIE, opened, proposal
from tests.registry.catalog.world import World

REASON = "It is forbidden."


@pytest.mark.parametrize("is_whole", [True, False])
def test_its_files_are_not_given_at_a_pull_request(
    world: World, first: Checkpoint, is_whole: bool
) -> None:
    own = revisions.proposed(opened(world)).checkpoint
    assert own is not None
    if is_whole:
        takedowns.take_down_project(world.project, Order(reason=REASON, by="system"))
    else:
        takedowns.take_down_checkpoint(first, Order(reason=REASON, by="system"))
    with pytest.raises(TakenDown):
        revisions.find_any(world.project, "refs/pr/1")
    with pytest.raises(RevisionUnknown):
        revisions.find_any(world.project, own.oid)
    weights = first.files.get(name="model.safetensors").sha256
    assert weights not in queries.open_blobs([weights], world.people.charlie)


def test_what_a_pull_request_started_at_is_not_given(world: World, first: Checkpoint) -> None:
    pulling.propose(world.project, by=world.people.charlie, title="Say it better")
    takedowns.take_down_checkpoint(first, Order(reason=REASON, by="system"))
    with pytest.raises(TakenDown):
        revisions.find_any(world.project, "refs/pr/1")


def test_nothing_more_is_proposed_to_it(world: World, first: Checkpoint) -> None:
    pull = opened(world)
    takedowns.take_down_project(world.project, Order(reason=REASON, by="system"))
    with pytest.raises((MayNotPublish, TakenDown)):
        pulling.commit_to(pull, proposal(world, put("README.md", b"# More\n", CHARLIE)))
