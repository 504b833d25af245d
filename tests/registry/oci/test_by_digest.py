# SPDX-License-Identifier: Apache-2.0
"""A digest leads to its checkpoint by a row: what nobody has costs as little as what somebody."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registry.catalog.models import Checkpoint, Project
from registry.catalog.services import takedowns
from registry.catalog.services.takedowns import Order
from registry.oci import queries, services, tasks
from registry.oci.models import Named
from tests.registry.catalog.world import FILES, World, build, by_person, changed, project, publish
from tests.registry.people import invite
from tests.running import Authority

pytestmark = pytest.mark.django_db(transaction=True)

UNKNOWN = hashlib.sha256(b"unknown").hexdigest()


@pytest.fixture
def world(transactional_db: None, authority: Authority, tmp_path: Path) -> World:
    return build(invite(), tmp_path / "texts")


def revision(world: World, number: int) -> Checkpoint:
    return publish(by_person(world, f"r{number}", {**FILES, "n.txt": b"%d\n" % number}))


def digests(of: Checkpoint) -> list[str]:
    return [each.sha256 for each in queries.image(of).documents()]


def cost(of: Project, sha256: str) -> int:
    """In queries."""
    with CaptureQueriesContext(connection) as asked:
        services.having(of, sha256)
    return len(asked)


def test_what_nobody_has_costs_the_same_however_much_there_is(world: World) -> None:
    costs = []
    for number in range(4):
        revision(world, number)
        services.having(world.project, UNKNOWN)  # those that are new are named, once
        costs.append(cost(world.project, UNKNOWN))
    assert costs == [costs[0]] * 4
    assert costs[0] <= 6


def test_every_document_leads_back_to_its_checkpoint(world: World) -> None:
    for one in [revision(world, number) for number in range(3)]:
        found = [services.having(world.project, sha256) for sha256 in digests(one)]
        manifest, config, policy, *referrers = (image and image.files.id for image in found)
        assert {manifest, config, *referrers} == {one.manifest_sha256}
        assert policy is not None
    assert not Named.objects.filter(sha256=world.conduct.sha256).exists()
    named = Named.objects.count()
    services.having(world.project, UNKNOWN)
    assert Named.objects.count() == named == 3 * 8


def test_what_refers_to_it_since_its_rows_were_written_leads_back_to_it(world: World) -> None:
    one = services.having(world.project, digests(revision(world, 1))[0])
    assert one is not None
    newer = [each.sha256 for each in one.documents() if each.sha256 != one.manifest().sha256]
    Named.objects.filter(sha256__in=newer).delete()
    assert services.having(world.project, newer[-1]) is None
    assert services.referred(world.project, one.manifest().sha256) is not None
    found = services.having(world.project, newer[-1])
    assert found is not None
    assert found.files == one.files
    assert services.referred(world.project, newer[-1]) is None


def test_older_ones_are_named_by_the_sweep_or_whoever_pulls_their_tag(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "NEWEST", 1)
    old, *others = [revision(world, number) for number in range(3)]
    assert services.having(world.project, digests(old)[0]) is None
    services.tagged(world.project, old.name)
    assert services.having(world.project, digests(old)[0]) is not None
    tasks.sweep()
    assert all(services.having(world.project, digests(one)[0]) for one in others)
    assert services.sweep() == 0


def test_what_was_taken_down_is_led_to_no_more(world: World) -> None:
    kept, gone = revision(world, 1), revision(world, 2)
    assert services.having(world.project, digests(gone)[0]) is not None
    order = Order(reason="It had to.", by="system")
    takedowns.take_down_checkpoint(gone, order)
    assert services.having(world.project, digests(gone)[0]) is None
    assert services.having(world.project, digests(kept)[0]) is not None


def test_the_same_files_in_two_projects_are_found_in_each(world: World) -> None:
    other = project(world.lab, world.conduct, world.people.alice, "other")
    one = revision(world, 1)
    two = publish(changed(by_person(world, "r1", {**FILES, "n.txt": b"1\n"}), project=other))
    assert digests(one)[0] == digests(two)[0]
    for of in (world.project, other):
        assert services.having(of, digests(one)[0]) is not None
    assert services.having(other, digests(one)[3]) is None  # its signature is another's
    assert services.having(world.project, digests(two)[3]) is None
