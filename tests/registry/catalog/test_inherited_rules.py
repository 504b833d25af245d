# SPDX-License-Identifier: Apache-2.0
"""What is made from a checkpoint forbids at least what that one forbids."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registry.catalog.errors import RulesDropped
from registry.catalog.models import Checkpoint, Project, Visibility
from registry.conduct import queries, services
from registry.conduct.queries import PolicyVersion
from tests.registry.catalog.weights import weights
from tests.registry.catalog.world import World, by_person, project, publish
from tests.registry.people import client_of

CARD = b"---\nbase_model: bob/strict\n---\n# A child\n"
OWN = weights({"w": b"\x01\x02\x03\x04"})


@pytest.fixture
def strict(world: World) -> Project:
    """Bob's, under OpenRAIL-M's restrictions, with weights."""
    services.publish_shipped()
    rail = queries.version("openrail-m", "1.0")
    bob = world.people.bob
    services.accept(rail, bob.namespace, bob)
    made = project(bob.namespace, rail, bob, "strict")
    publish(by_person(under(world, made), "first", {"model.safetensors": OWN}, bob))
    return made


def under(world: World, project: Project) -> World:
    """The same with another project to publish to."""
    return replace(world, project=project)


def child(world: World, rules: PolicyVersion, name: str = "child") -> World:
    alice = world.people.alice
    services.accept(rules, world.people.lab.namespace, alice)
    return under(world, project(world.people.lab.namespace, rules, alice, name))


def test_a_card_that_names_a_stricter_project_is_refused(world: World, strict: Project) -> None:
    weaker = child(world, queries.version("community-language-models", "1.1"))
    with pytest.raises(RulesDropped) as refused:
        publish(by_person(weaker, "first", {"README.md": CARD}))
    said = {each.field: each.message for each in refused.value.errors}
    assert set(said) == {f"rail:{letter}" for letter in "acdijklm"} | {"rail:e", "rail:g"}
    assert said["rail:l"] == (
        "bob/strict is under openrail-m@1.0, which forbids using it for medical advice; "
        "community-language-models@1.1 does not"
    )
    assert not Checkpoint.objects.filter(project=weaker.project).exists()


def test_the_same_rules_or_stricter_ones_are_enough(world: World, strict: Project) -> None:
    same = child(world, strict.conduct)
    publish(by_person(same, "first", {"README.md": CARD}))
    free = child(world, queries.version("openmdw", "1.1"), "free")
    publish(by_person(free, "first", {"README.md": b"# Of its own\n"}))
    named = CARD.replace(b"bob/strict", b"lab/free")
    publish(by_person(same, "second", {"README.md": named}))


def test_rules_that_are_words_alone_are_kept_by_their_policy_alone(world: World) -> None:
    """Nobody can compare them, and what forbids nothing does not keep them."""
    services.publish_shipped()
    card = {"README.md": CARD.replace(b"bob/strict", b"lab/small")}
    assert world.project.conduct.version == "1.0"  # of the form that had no rules
    weaker = child(world, queries.version("openmdw", "1.1"), "weaker")
    with pytest.raises(RulesDropped, match=r"found openmdw@1\.1") as refused:
        publish(by_person(weaker, "first", card))
    (said,) = refused.value.errors
    assert "lab/small is under community-language-models@1.0, whose clauses" in said.message
    assert not Checkpoint.objects.filter(project=weaker.project).exists()
    later = child(world, queries.version("community-language-models", "1.1"), "later")
    publish(by_person(later, "first", card))


def test_weights_of_a_stricter_checkpoint_say_it_without_a_card(
    world: World, strict: Project
) -> None:
    weaker = child(world, queries.version("openmdw", "1.1"))
    with pytest.raises(RulesDropped) as refused:
        publish(by_person(weaker, "first", {"renamed.safetensors": OWN}))
    assert "bob/strict@first is under openrail-m@1.0" in refused.value.errors[0].message


def test_one_s_own_weights_stay_ones_own(world: World, strict: Project) -> None:
    """Who published them first owes nothing to whoever copied them."""
    free = child(world, queries.version("openmdw", "1.1"))
    mine = weights({"w": b"\x09\x02\x03\x04"})
    publish(by_person(free, "first", {"model.safetensors": mine}))
    bob = world.people.bob
    publish(by_person(under(world, strict), "copy", {"model.safetensors": mine}, bob))
    publish(by_person(free, "again", {"model.safetensors": mine, "a.txt": b"a"}))


def test_what_the_publisher_may_not_see_says_nothing(world: World, strict: Project) -> None:
    """A refusal would tell that it is there."""
    Project.objects.filter(pk=strict.pk).update(visibility=Visibility.PRIVATE)
    weaker = child(world, queries.version("openmdw", "1.1"))
    files = {"README.md": CARD, "model.safetensors": OWN}
    publish(by_person(weaker, "first", files))


def test_programs_are_told_each_clause(world: World, strict: Project) -> None:
    weaker = child(world, queries.version("openmdw", "1.1"))
    alice = world.people.alice
    manifest = by_person(weaker, "first", {"README.md": CARD}).manifest
    sent = {"name": "first", "manifest": manifest.to_json()}
    answer = client_of(alice, "publish").post("/api/v1/projects/lab/child/checkpoints", sent)
    assert answer.status_code == 409
    assert answer.json()["code"] == "conduct-dropped"
    assert len(answer.json()["errors"]) == 13
