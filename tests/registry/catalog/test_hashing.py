# SPDX-License-Identifier: Apache-2.0
"""The tensors of large files are hashed apart, in steps that are kept, by one process each."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from assay.signing import tensors as signing
from assay.signing.errors import InvalidDocument
from assay.signing.tensors import Span, TensorEntry
from registry.catalog import services, tasks
from registry.catalog.content import tensors
from registry.catalog.errors import RefBusy
from registry.catalog.models import Checkpoint, File
from registry.catalog.models.found import Tensor, TensorDigests
from registry.catalog.services import hashing
from registry.catalog.services.hashing import Waiting
from registry.conduct import services as conduct
from registry.storage import services as storage
from tests.registry.catalog.test_commits import put, wanted
from tests.registry.catalog.test_descent import noise
from tests.registry.catalog.test_history_of_what_was_published import migrate, newest
from tests.registry.catalog.weights import weights
from tests.registry.catalog.world import World, by_person, changed, project, publish

SHARDS = {
    f"model-{shard}.safetensors": weights({f"{shard}.{n}": noise(shard * 9 + n) for n in range(3)})
    for shard in range(4)
}


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is too large to be hashed by whoever signs, and every tensor is a step."""
    monkeypatch.setattr(hashing, "INLINE_BYTES", 0)
    monkeypatch.setattr(hashing, "STEP_BYTES", 1)
    monkeypatch.setattr(hashing, "TURN_SECONDS", 0)


@contextmanager
def another_at(sha256: str) -> Iterator[None]:
    """A process of its own has it."""
    other = connection.copy()
    with other.cursor() as cursor:
        key = [hashing.HASHING_LOCK, int.from_bytes(bytes.fromhex(sha256[:8]), signed=True)]
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", key)
        yield
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", key)  # or the server takes its time
    other.close()


def stopping_after(steps: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The process dies in the step behind so many; the sizes of those that were begun."""
    begun: list[int] = []
    hashed = signing.hashed

    def until(path: Path, name: str, spans: tuple[Span, ...]) -> Iterator[TensorEntry]:
        if len(begun) == steps:
            raise KeyboardInterrupt
        begun.append(len(spans))
        return hashed(path, name, spans)

    monkeypatch.setattr(signing, "hashed", until)
    return begun


def test_a_large_file_waits_for_its_own_workers_and_goes_on(world: World, large: None) -> None:
    received = services.receive(by_person(world, files=SHARDS))
    assert services.advance(received.pk).state == "received"
    tasks.hash_waiting()
    published = services.advance(received.pk)
    assert published.state == "published"
    assert tensors.signed(published).count == 12


def test_the_steps_make_the_list_that_one_would(world: World, large: None) -> None:
    received = services.receive(by_person(world, files=SHARDS))
    tasks.hash_waiting()
    (stepped,) = {tensors.signed(services.advance(received.pk))}
    paths = {name: storage.local(sha) for name, sha in File.objects.values_list("name", "sha256")}
    entries: list[TensorEntry] = []
    for name in SHARDS:
        with paths[name] as path:
            entries += signing.of_file(path, name)
    assert stepped.sha256 == signing.TensorList.of(entries).sha256
    assert Tensor.objects.count() == 12
    assert set(TensorDigests.objects.values_list("count", "proofs", "is_whole")) == {(3, 3, True)}


def test_who_is_killed_at_a_step_costs_that_step(
    world: World, large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    received = services.receive(by_person(world, files=SHARDS))
    begun = stopping_after(5, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        tasks.hash_waiting()
    assert sum(TensorDigests.objects.values_list("count", flat=True)) == 5
    monkeypatch.undo()
    begun += stopping_after(99, monkeypatch)
    tasks.hash_waiting()
    assert services.advance(received.pk).state == "published"
    assert Tensor.objects.count() == 12


def test_one_process_hashes_a_file(world: World) -> None:
    received = services.receive(by_person(world))
    (sha256,) = File.objects.filter(name="model.safetensors").values_list("sha256", flat=True)
    with another_at(sha256):
        assert services.advance(received.pk).state == "received"
        tasks.hash_waiting()
        assert not TensorDigests.objects.filter(is_whole=True).exists()
    assert services.advance(received.pk).state == "published"


def test_others_go_on_at_other_files(world: World, large: None) -> None:
    services.receive(by_person(world, files=SHARDS))
    first = File.objects.order_by("pk").values_list("sha256", flat=True)[0]
    with another_at(first):
        tasks.hash_waiting()
    whole = TensorDigests.objects.filter(is_whole=True).values_list("sha256", flat=True)
    assert set(File.objects.values_list("sha256", flat=True)) - set(whole) == {first}


def test_nobodys_large_model_is_in_everybodys_way(
    world: World, large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.receive(by_person(world, files=SHARDS))
    bob = world.people.bob
    conduct.accept(world.conduct, bob.namespace, bob)
    own = project(bob.namespace, world.conduct, bob, "own")
    files = {"model.safetensors": weights({"x": noise(1)})}
    theirs = services.receive(changed(by_person(world, files=files, user=bob), project=own))
    drawn: list[list[Waiting]] = []

    def second_owner_first(options: list[Waiting]) -> Waiting:
        drawn.append(options)
        return options[-1]

    monkeypatch.setattr(secrets, "choice", second_owner_first)
    tasks.hash_waiting()
    assert [len(options) for options in drawn] == [2] + [1] * 12
    assert drawn[0][1].checkpoint_id == theirs.pk


def test_a_header_that_cannot_be_signed_ends_what_waits_for_it(
    world: World, large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    received = services.receive(by_person(world))

    def unreadable(_: Path) -> tuple[Span, ...]:
        raise InvalidDocument("header", "one", "another")

    monkeypatch.setattr(signing, "spans", unreadable)
    tasks.hash_waiting()
    rejected = Checkpoint.objects.get(pk=received.pk)
    assert rejected.state == "rejected"
    assert "can never be signed: header: expected one" in rejected.reason


def test_bytes_that_are_lost_hold_nothing_else_up(
    world: World, large: None, caplog: pytest.LogCaptureFixture
) -> None:
    services.receive(by_person(world, files=SHARDS))
    first = File.objects.order_by("pk")[0].sha256
    with storage.local(first) as path:
        path.rename(path.with_suffix(".away"))
    tasks.hash_waiting()
    assert f"the tensors of sha256:{first} wait" in caplog.text
    assert TensorDigests.objects.filter(is_whole=True).count() == 3


def test_a_commit_says_that_its_tensors_are_being_hashed(world: World, large: None) -> None:
    change = wanted(world, *(put(name, content) for name, content in SHARDS.items()))
    change = replace(change, hashing_seconds=0)
    with pytest.raises(RefBusy, match=r"tensors to be hashed by now, found .* bytes to go"):
        services.commit(change)
    tasks.hash_waiting()
    assert services.commit(change).checkpoint.state == "published"


def test_the_clock_starts_it_in_a_queue_of_its_own() -> None:
    assert settings.CELERY_TASK_ROUTES[tasks.hash_waiting.name] == {"queue": "slow"}
    assert tasks.hash_waiting.name in settings.CELERY_BEAT_SCHEDULE


def test_what_older_versions_kept_of_a_file_reads_the_same(world: World) -> None:
    files = {"model.safetensors": weights({"a\x00é\x01": noise(1), "b": b"\x01\x02"})}
    published = publish(by_person(world, files=files))
    lines = b"".join(tensors.lines(published))
    migrate("0015_taken_down")
    with connection.cursor() as cursor:
        cursor.execute("SELECT listed FROM catalog_tensordigests")
        ((listed,),) = cursor.fetchall()
    assert [row[0] for row in json.loads(listed)] == ["a\x00é\x01", "b"]
    migrate(newest())
    assert b"".join(tensors.lines(published)) == lines
