# SPDX-License-Identifier: Apache-2.0
"""What is under a version of a policy is counted, where everybody may see it."""

from __future__ import annotations

import pytest

from registry.catalog import services
from registry.catalog.models import Checkpoint, Visibility
from registry.catalog.queries import ruled
from tests.registry.catalog.world import World, by_person, project, publish
from tests.registry.people import browser


@pytest.fixture
def published(world: World) -> Checkpoint:
    return publish(by_person(world))


def counts(world: World) -> tuple[int, int]:
    found = ruled.under(world.conduct)
    return found.projects.value, found.checkpoints.value


def test_public_projects_and_checkpoints_are_counted(world: World, published: Checkpoint) -> None:
    assert counts(world) == (1, 1)
    project(world.lab, world.conduct, world.people.alice, "other")
    assert counts(world) == (2, 1)
    page = browser(None).get(world.conduct.path).content.decode()
    assert f'<a href="/projects?conduct={world.conduct.policy_id}/1.0">2</a>' in page
    assert "<dt>Checkpoints</dt><dd>1</dd>" in page
    assert "<dd>1</dd>" in browser(None).get("/conduct/community-language-models").content.decode()


@pytest.mark.usefixtures("published")
def test_what_is_private_is_not_counted(world: World) -> None:
    services.show(world.project, Visibility.PRIVATE, by=world.people.alice)
    assert counts(world) == (0, 0)
    for viewer in (None, world.people.alice):
        page = browser(viewer).get(world.conduct.path).content.decode()
        assert page.count("<dd>none</dd>") == 2


def test_what_is_on_its_way_is_not_counted(world: World) -> None:
    received = services.receive(by_person(world))
    assert received.conduct == world.conduct
    assert counts(world) == (1, 0)
