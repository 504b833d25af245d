# SPDX-License-Identifier: Apache-2.0
"""What ended counts in its owner's quota no more, a day later; what they have elsewhere does."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from registry.accounts import queries as accounts
from registry.accounts.models import Namespace
from registry.audit.models import AuditRow
from registry.catalog import services
from registry.catalog.models import Checkpoint, Project
from registry.catalog.services import giving_back
from registry.conduct import services as conduct
from registry.storage import services as storage
from tests.registry.catalog.world import FILES, World, by_person, project, publish
from tests.registry.pool.test_contention import AT_ONCE, at_the_same_moment
from tests.running import Authority

pytestmark = pytest.mark.django_db
SIZE = sum(map(len, FILES.values()))


def used(owner: Namespace) -> int:
    return accounts.use(owner).used_bytes


def later(by: timedelta = timedelta(minutes=1)) -> datetime:
    return timezone.now() + giving_back.AFTER + by


def end(world: World) -> None:
    services.end(world.project, by=world.people.alice)


@pytest.fixture
def published(world: World) -> Checkpoint:
    return publish(by_person(world))


def test_it_waits_a_day(world: World, published: Checkpoint) -> None:
    before = used(world.lab)
    end(world)
    assert services.give_back(now=later(-timedelta(minutes=5))) == 0
    assert used(world.lab) == before > 0
    assert services.give_back(now=later()) == 1
    assert before - used(world.lab) == SIZE
    assert services.give_back(now=later()) == 0
    row = AuditRow.objects.get(action="project.give-back")
    assert (row.subject, row.details["files"]) == ("lab/small", len(FILES) + 2)


def test_the_bytes_stay_and_are_the_uploaders(world: World, published: Checkpoint) -> None:
    alice = world.people.alice
    end(world)
    services.give_back(now=later())
    weights = published.files.get(name="model.safetensors").sha256
    assert storage.sizes([weights]) == {weights: len(FILES["model.safetensors"])}
    assert storage.holds(alice.actor, weights)
    assert used(alice.namespace) >= SIZE  # whoever sent them has them, and pays for them


def test_what_the_owner_has_in_something_else_counts(world: World, published: Checkpoint) -> None:
    other = project(world.lab, world.conduct, world.people.alice, name="other")
    publish(by_person(replace(world, project=other), "copy", {"README.md": FILES["README.md"]}))
    before = used(world.lab)
    end(world)
    services.give_back(now=later())
    assert before - used(world.lab) == SIZE - len(FILES["README.md"])


def test_who_gave_a_project_away_pays_for_it_no_more(world: World) -> None:
    alice = world.people.alice
    conduct.accept(world.conduct, alice.namespace, alice)
    own = project(alice.namespace, world.conduct, alice, name="own")
    publish(by_person(replace(world, project=own)))
    before = used(alice.namespace), used(world.lab)
    services.move(own, world.lab, "given", by=alice)
    assert services.give_back(now=later()) == 1
    assert before[0] - used(alice.namespace) == SIZE
    assert used(world.lab) - before[1] >= SIZE


def test_who_would_publish_it_again_sends_it_again(world: World) -> None:
    alice = world.people.alice
    conduct.accept(world.conduct, alice.namespace, alice)
    first = replace(world, project=project(alice.namespace, world.conduct, alice, name="first"))
    files = {file.sha256 for file in publish(by_person(first)).files.all()}
    services.end(first.project, by=alice)
    services.give_back(now=later())
    assert storage.held({alice.actor}, files) == frozenset()
    again = replace(world, project=project(alice.namespace, world.conduct, alice, name="again"))
    assert publish(by_person(again)).state == "published"
    assert used(alice.namespace) == SIZE


def test_many_janitors_give_it_back_once(
    transactional_db: None, authority: Authority, world: World, published: Checkpoint
) -> None:
    before = used(world.lab)
    end(world)
    done = at_the_same_moment([lambda: services.give_back(now=later())] * AT_ONCE)
    assert (sum(done), before - used(world.lab)) == (1, SIZE)
    assert Project.objects.filter(given_back_at=None, ended_at__isnull=False).count() == 0
