# SPDX-License-Identifier: Apache-2.0
"""Branches and tags: made and taken away by who may publish, under names that git would take."""

from __future__ import annotations

import pytest

from registry.audit.models import AuditRow
from registry.catalog import services
from registry.catalog.errors import InvalidRef, MayNotPublish, RefTaken, RevisionUnknown
from registry.catalog.models import Ref
from registry.catalog.queries import revisions
from registry.catalog.queries.revisions import Kind
from tests.registry.catalog.world import World, by_person, publish


def tag(world: World, name: str, kind: Kind = Kind.TAG) -> Ref:
    alice = world.people.alice
    at = revisions.find(world.project, "main")
    return services.add_ref(world.project, kind, name, at, by=alice, actor=alice.actor)


def untag(world: World, name: str, kind: Kind = Kind.TAG) -> None:
    alice = world.people.alice
    services.remove_ref(world.project, kind, name, by=alice, actor=alice.actor)


def test_a_tag_names_a_revision_until_it_is_taken_away(world: World) -> None:
    published = publish(by_person(world))
    assert tag(world, "v1.0").full_name == "refs/tags/v1.0"
    assert tag(world, "dev/x", Kind.BRANCH).full_name == "refs/heads/dev/x"
    assert revisions.find(world.project, "v1.0").checkpoint == published
    untag(world, "v1.0")
    with pytest.raises(RevisionUnknown):
        revisions.find(world.project, "v1.0")
    actions = [row.action for row in AuditRow.objects.filter(action__startswith="ref.")]
    assert sorted(actions) == ["ref.add", "ref.add", "ref.remove"]


@pytest.mark.parametrize(
    "name", ["", "a b", "a..b", "-a", "a/", "refs/pr/1", "HEAD", "a.lock", "0" * 40, "a" * 201, "é"]
)
def test_a_name_that_is_none_is_refused(world: World, name: str) -> None:
    publish(by_person(world))
    with pytest.raises(InvalidRef, match="expected at most 200 letters"):
        tag(world, name)


def test_one_name_means_one_thing(world: World) -> None:
    publish(by_person(world))
    tag(world, "v1")
    for kind, name in ((Kind.TAG, "v1"), (Kind.BRANCH, "v1"), (Kind.TAG, "main")):
        with pytest.raises(RefTaken, match="expected a new name, but lab/small has the"):
            tag(world, name, kind)


def test_what_is_not_there_is_neither_named_nor_taken_away(world: World) -> None:
    with pytest.raises(RevisionUnknown, match="found nothing yet"):
        tag(world, "v1")
    publish(by_person(world))
    tag(world, "v1")
    with pytest.raises(RevisionUnknown, match="expected a branch of lab/small"):
        untag(world, "v1", Kind.BRANCH)
    with pytest.raises(InvalidRef, match="expected a branch other than main"):
        untag(world, "main", Kind.BRANCH)


def test_strangers_name_nothing(world: World) -> None:
    publish(by_person(world))
    at, charlie = revisions.find(world.project, "main"), world.people.charlie
    with pytest.raises(MayNotPublish):
        services.add_ref(world.project, Kind.TAG, "v1", at, by=charlie, actor=charlie.actor)
    tag(world, "v1")
    with pytest.raises(MayNotPublish):
        services.remove_ref(world.project, Kind.TAG, "v1", by=charlie, actor=charlie.actor)
