# SPDX-License-Identifier: Apache-2.0
"""Tensors that a checkpoint left as they were prove what it was made from."""

from __future__ import annotations

import random
from collections.abc import Mapping

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from assay.signing.digests import sha256
from registry.accounts import services as accounts
from registry.accounts.queries import User
from registry.catalog import services
from registry.catalog.models import Checkpoint, Project, Visibility
from registry.catalog.models.found import Carrier, Descent, TensorDigests
from registry.catalog.queries import descents, lineage
from registry.catalog.services import takedowns
from registry.catalog.services.takedowns import Order
from registry.conduct import services as conduct
from registry.site import erasing
from tests.registry.catalog.test_history_of_what_was_published import migrate, newest
from tests.registry.catalog.test_searching import made
from tests.registry.catalog.weights import weights
from tests.registry.catalog.world import World, by_person, changed, project, publish
from tests.registry.people import client_of


def noise(seed: int) -> bytes:
    return random.Random(seed).randbytes(2048)  # noqa: S311 - the same each time


BASE: Mapping[str, bytes] = {f"layer.{number}": noise(number) for number in range(4)}
MASK = bytes(1 << 16)
NO = Order(reason="No.", by="system")


def model(
    world: World,
    name: str,
    tensors: Mapping[str, bytes],
    card: str = "",
    by: User | None = None,
) -> Checkpoint:
    """A project of this name with these weights, the first time; then another checkpoint of it."""
    within = Project.objects.filter(name=name).first() or made(world, name)
    files = {"README.md": card.encode() or b"# x\n", "model.safetensors": weights(tensors)}
    number = Checkpoint.objects.filter(project=within).count()
    submission = by_person(world, f"c{number}", files=files, user=by)
    return publish(changed(submission, project=within))


def tuned(*changed_layers: int, **more: bytes) -> Mapping[str, bytes]:
    return {**BASE, **{f"layer.{each}": noise(100 + each) for each in changed_layers}, **more}


def shares(of: Checkpoint, viewer: User | None = None) -> list[tuple[str, int, int, bool]]:
    return [
        (each.name, each.descent.same, each.descent.of, each.is_declared)
        for each in lineage.parents(of, viewer)
        if each.descent is not None
    ]


def test_unchanged_tensors_prove_a_declared_parent(world: World) -> None:
    model(world, "base", BASE)
    child = model(world, "child", tuned(0), "---\nbase_model: lab/base\n---\n")
    assert shares(child) == [("lab/base", 3, 4, True)]


def test_a_parent_that_no_card_names_is_found(world: World) -> None:
    model(world, "base", BASE)
    child = model(world, "child", tuned(0, 1))
    assert shares(child) == [("lab/base", 2, 4, False)]


def test_what_was_published_first_is_the_parent(world: World) -> None:
    base = model(world, "base", BASE)
    model(world, "child", tuned(0))
    assert shares(base) == []


def test_nobody_descends_from_themselves(world: World) -> None:
    model(world, "base", BASE)
    assert shares(model(world, "base", tuned(0))) == []


def test_of_a_project_the_checkpoint_with_the_most_counts(world: World) -> None:
    for layers in ((0, 1, 2), (0,), (0, 1)):
        model(world, "base", tuned(*layers))
    child = model(world, "child", tuned(0, 9, **{"layer.9": noise(9)}))
    assert shares(child) == [("lab/base", 4, 5, False)]
    assert Descent.objects.get().parent.name == "c1"


def test_a_merge_has_both_parents_the_nearer_one_first(world: World) -> None:
    model(world, "one", {"a": noise(1), "b": noise(2), "c": noise(3)})
    model(world, "two", {"d": noise(4)})
    merged = {"x": noise(1), "y": noise(2), "z": noise(4), "w": noise(5)}
    assert shares(model(world, "merged", merged)) == [
        ("lab/one", 2, 4, False),
        ("lab/two", 1, 4, False),
    ]


def test_what_all_models_have_proves_nothing(world: World) -> None:
    common = {"mask": MASK, "ones": b"\x00\x00\x80\x3f" * 4096, "scale": b"\x01\x02\x03\x04"}
    model(world, "base", {**common, "own": noise(1)})
    child = model(world, "child", {**common, "own": noise(2)})
    assert shares(child) == []


def test_a_declared_parent_without_a_common_tensor_stays_declared(
    world: World, client: Client
) -> None:
    model(world, "base", {"a": noise(1)})
    child = model(world, "child", {"a": noise(2)}, "---\nbase_model: lab/base\n---\n")
    (parent,) = lineage.parents(child)
    assert (parent.descent, parent.is_declared) == (None, True)
    assert (
        "declared; no file of weights is the same there" in client.get(child.path).content.decode()
    )


def test_a_private_parent_is_shown_to_its_members_alone(world: World, client: Client) -> None:
    model(world, "base", BASE)
    child = model(world, "child", tuned(0))
    base = Project.objects.get(name="base")
    services.show(base, Visibility.PRIVATE, by=world.people.alice)
    path = f"/api/v1/projects/lab/child/checkpoints/{child.name}"
    assert shares(child) == []
    assert client.get(path).json()["made_from"] == []
    assert b"lab/base" not in client.get(child.path).content
    assert shares(child, world.people.alice) == [("lab/base", 3, 4, False)]
    member = client_of(world.people.alice, "read").get(path).json()["made_from"]
    assert [each["project"] for each in member] == ["lab/base"]


def test_a_private_parent_that_the_card_names_is_declared_to_its_members(world: World) -> None:
    model(world, "base", BASE)
    child = model(world, "child", tuned(0), "---\nbase_model: lab/base\n---\n")
    services.show(Project.objects.get(name="base"), Visibility.PRIVATE, by=world.people.alice)
    (stranger,) = lineage.parents(child)
    assert (stranger.project, stranger.descent) == (None, None)
    assert shares(child, world.people.alice) == [("lab/base", 3, 4, True)]


def test_pages_and_api_say_how_many(world: World, client: Client) -> None:
    model(world, "base", BASE)
    child = model(world, "child", tuned(0))
    said = client.get(f"/api/v1/projects/lab/child/checkpoints/{child.name}").json()
    assert said["made_from"] == [
        {
            "project": "lab/base",
            "relation": "",
            "is_here": True,
            "same": [],
            "weights": 1,
            "is_declared": False,
            "tensors": {"checkpoint": "lab/base@c0", "same": 3, "of": 4},
        }
    ]
    for path in (child.path, "/lab/child"):
        page = " ".join(client.get(path).content.decode().split())
        assert "found by its tensors; its card does not name it" in page
        assert 'proven: 3 of 4 tensors are the very same in <a href="/lab/base/c0">c0</a>' in page


def test_it_takes_as_many_queries_whatever_there_is(
    world: World, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    model(world, "one", BASE)
    child = model(world, "child", tuned(0))
    with django_assert_num_queries(3):
        lineage.parents(child)
    model(world, "two", tuned(1))
    later = model(world, "later", tuned(2))
    with django_assert_num_queries(3):
        assert len(lineage.parents(later)) == 3


def test_only_the_first_files_with_a_tensor_are_looked_at(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(descents, "MOST_LOOKUPS", 4)
    model(world, "base", BASE)
    model(world, "child", {**tuned(1, 2), "x": noise(7)})
    grandchild = model(world, "grandchild", tuned(1))
    assert shares(grandchild) == [("lab/base", 3, 4, False), ("lab/child", 3, 4, False)]
    model(world, "another", tuned(0))
    assert shares(model(world, "cousin", tuned(2))) == [
        ("lab/base", 3, 4, False),
        ("lab/child", 3, 4, False),
    ]


def test_copies_that_nobody_sees_crowd_out_no_proof(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(descents, "MOST_PARENTS", 1)
    for number in range(3):
        model(world, f"copy{number}", BASE)
        copy = Project.objects.get(name=f"copy{number}")
        services.show(copy, Visibility.PRIVATE, by=world.people.alice)
    model(world, "base", tuned(3))
    child = model(world, "child", tuned(3, 2))
    assert shares(child) == [("lab/base", 3, 4, False)]
    assert [each[0] for each in shares(child, world.people.alice)] == ["lab/base", "lab/copy0"]


def test_shards_that_came_one_after_another_are_of_the_checkpoint_with_both(world: World) -> None:
    one, two = weights({"a": noise(1), "b": noise(2), "c": noise(3)}), weights({"d": noise(4)})
    other = weights({"d": noise(5), "e": noise(6)})
    base, files = made(world, "base"), {"model-1.safetensors": one, "model-2.safetensors": two}
    publish(changed(by_person(world, "c0", files=files), project=base))
    files["model-2.safetensors"] = other
    publish(changed(by_person(world, "c1", files=files), project=base))
    child = publish(changed(by_person(world, files=files), project=made(world, "child")))
    assert shares(child) == [("lab/base", 5, 5, False)]
    assert Descent.objects.get().parent.name == "c1"


def test_a_checkpoint_that_names_no_tensors_is_nobodys_parent(world: World) -> None:
    base = model(world, "base", BASE)
    assert base.statement is not None
    Carrier.objects.update(names_tensors=False)  # as those of before were
    assert shares(model(world, "child", tuned(0))) == []
    again = model(world, "base", {**BASE, "x": noise(9)})
    assert shares(model(world, "later", tuned(1)))[0][0] == "lab/base"
    assert Descent.objects.filter(parent=again).exists()


def test_a_hundred_revisions_with_a_file_are_one_row(world: World) -> None:
    base = model(world, "base", BASE)
    for number in range(2):
        files = {"model.safetensors": weights(BASE), "n.txt": b"%d" % number}
        publish(changed(by_person(world, f"n{number}", files=files), project=base.project))
    assert [each.checkpoint for each in Carrier.objects.all()] == [base]


def test_what_was_taken_down_is_no_parent_and_the_next_with_the_file_is(world: World) -> None:
    base = model(world, "base", BASE)
    files = {"model.safetensors": weights(BASE), "n.txt": b"n"}
    again = publish(changed(by_person(world, "again", files=files), project=base.project))
    takedowns.take_down_checkpoint(base, NO)
    assert Carrier.objects.get().checkpoint == again
    child = model(world, "child", tuned(0), "# Another card\n")
    assert shares(child) == [("lab/base", 3, 4, False)]
    assert Descent.objects.get().parent == again
    takedowns.take_down_checkpoint(again, NO)
    assert not Carrier.objects.filter(project=base.project).exists()


def test_what_takes_too_long_holds_nothing_up(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    model(world, "base", BASE)
    monkeypatch.setattr(descents, "SAME", "SELECT pg_sleep(9)")
    monkeypatch.setattr(descents, "STEP_SECONDS", "0.05")
    child = model(world, "child", tuned(0))
    assert (child.state, shares(child)) == ("published", [])
    assert "no parents of lab/child@c0 (signed) were looked for to the end" in caplog.text


def test_what_was_published_before_is_found_by_its_files(world: World) -> None:
    base = model(world, "base", BASE)
    model(world, "base", tuned(0))
    before = list(Carrier.objects.values_list("sha256", "project", "checkpoint", "names_tensors"))
    migrate("0016_tensors_in_steps")
    migrate(newest())
    fields = ("sha256", "project", "checkpoint", "names_tensors")
    assert list(Carrier.objects.order_by("pk").values_list(*fields)) == before
    assert shares(model(world, "child", tuned(1)))[0][0] == base.project.full_name


def test_whoever_leaves_is_nobodys_parent(world: World) -> None:
    person = accounts.create_user("zebulon")
    conduct.accept(world.conduct, person.namespace, person)
    project(person.namespace, world.conduct, person, "base")
    base = model(world, "base", BASE, by=person)
    child = model(world, "child", tuned(0))
    assert shares(child) == [("zebulon/base", 3, 4, False)]
    erasing.erase("zebulon")
    assert shares(child) == []
    assert not Descent.objects.exists()
    assert not Carrier.objects.filter(checkpoint=base).exists()
    gone = {sha256(weights(BASE))}
    assert not TensorDigests.objects.filter(sha256__in=gone).exists()
    assert Checkpoint.objects.get(pk=base.pk).reason == "erased"
