# SPDX-License-Identifier: Apache-2.0
"""Who may not see what was taken down learns nothing of it; what many have stays everybody's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registry.accounts.models import User
from registry.asgi import CatalogGate
from registry.catalog import queries, services
from registry.catalog.errors import BlobMissing, TakenDown
from registry.catalog.models import Checkpoint, Visibility
from registry.catalog.models.found import Listing
from registry.catalog.queries import withheld
from registry.catalog.services import Commit, listings, takedowns
from registry.catalog.services.takedowns import Order
from registry.conduct import services as conduct
from tests.registry.catalog.test_commits import put
from tests.registry.catalog.weights import weights
from tests.registry.catalog.world import FILES, World, by_person, project, publish
from tests.registry.people import secret_of

pytestmark = pytest.mark.django_db
REASON = "It holds what a court forbade."
OTHERS = {**FILES, "model.safetensors": weights({"w": b"other bytes"})}


@pytest.fixture
def down(world: World) -> Checkpoint:
    published = publish(by_person(world))
    takedowns.take_down_checkpoint(published, Order(reason=REASON, by="system"))
    published.refresh_from_db()
    return published


def digest(of: Checkpoint, name: str = "model.safetensors") -> str:
    return of.files.get(name=name).sha256


def may_read(viewer: User | None, sha256: str) -> bool:
    headers = []
    if viewer is not None:
        headers = [(b"authorization", f"Bearer {secret_of(viewer, 'read')}".encode())]
    return CatalogGate().may_read(sha256, {"headers": headers})


def elsewhere(world: World) -> World:
    """Charlie has a project of his own, under the same conduct."""
    charlie = world.people.charlie
    conduct.accept(world.conduct, charlie.namespace, charlie)
    return replace(world, project=project(charlie.namespace, world.conduct, charlie, "other"))


def test_who_sees_it_is_told_by_the_digest(world: World, down: Checkpoint) -> None:
    for viewer in (None, world.people.charlie):
        with pytest.raises(TakenDown, match=REASON):
            may_read(viewer, digest(down))


def test_who_does_not_see_it_is_told_nothing_by_the_digest(world: World, down: Checkpoint) -> None:
    services.show(world.project, Visibility.PRIVATE, by=world.people.alice)
    assert not may_read(None, digest(down))
    assert not may_read(world.people.charlie, digest(down))
    with pytest.raises(TakenDown, match=REASON):
        may_read(world.people.bob, digest(down))


def test_who_has_not_sent_its_bytes_is_not_told_so_when_publishing(
    world: World, down: Checkpoint
) -> None:
    other, charlie = elsewhere(world), world.people.charlie
    manifest = queries.manifest(down)
    wanted = replace(by_person(other, files=OTHERS, user=charlie), manifest=manifest)
    with pytest.raises(BlobMissing, match="that you have not sent"):
        services.receive(wanted)


def test_small_files_of_it_are_published_elsewhere_and_weights_are_not(
    world: World, down: Checkpoint
) -> None:
    other, charlie = elsewhere(world), world.people.charlie
    with pytest.raises(TakenDown, match="expected files that were not taken down"):
        services.receive(by_person(other, user=charlie))
    published = publish(by_person(other, files=OTHERS, user=charlie))
    assert published.state == "published"
    assert digest(published, "config.json") == digest(down, "config.json")
    assert may_read(None, digest(down, "config.json"))
    assert withheld.among([digest(down, name) for name in FILES]) == {digest(down)}


def test_its_owner_commits_anew_on_top_of_it(world: World, down: Checkpoint) -> None:
    alice = world.people.alice
    new = put("README.md", b"# Anew\n", alice.actor)
    made = services.commit(Commit(user=alice, project=world.project, title="New", changes=(new,)))
    assert [each.name for each in queries.manifest(made.checkpoint).files] == ["README.md"]
    assert made.parent is not None
    assert made.parent.checkpoint == down


def test_nothing_of_its_card_is_found(world: World, down: Checkpoint) -> None:
    listed = Listing.objects.get(project=world.project)
    assert (listed.checkpoint, listed.parameters, listed.trained) == (None, None, "")
    listings.again(world.project)
    assert Listing.objects.get(project=world.project).checkpoint is None
