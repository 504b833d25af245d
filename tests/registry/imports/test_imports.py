# SPDX-License-Identifier: Apache-2.0
"""A file of torch.save's becomes a signed revision; its own bytes are given to nobody, and go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from errno import ENOSPC
from pathlib import Path
from typing import BinaryIO

import pytest
from django.conf import settings as configured
from django.db import IntegrityError, connection
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from assay.signing.digests import as_id, sha256
from assay.signing.errors import SignerError
from registry.accounts.queries import User
from registry.audit.models import AuditRow
from registry.catalog import queries as catalog
from registry.catalog import services as catalog_services
from registry.catalog.errors import MayNotPublish
from registry.catalog.queries import revisions
from registry.imports import apart, services, tasks
from registry.imports.errors import (
    ConverterFailed,
    ImportsUnavailable,
    ImportUnderway,
    InvalidImport,
)
from registry.imports.models import Import, State
from registry.imports.services import Wanted
from registry.site import erasing
from registry.storage import services as storage
from registry.storage.errors import NoSpace, StorageUnavailable
from tests.registry.catalog.weights import weights
from tests.registry.catalog.world import World
from tests.registry.people import client_of
from tests.trainers.test_converting import GROUP, Calls, saved

BYTES = b"as torch.save would write it"


def wanted(
    world: World,
    content: bytes = BYTES,
    by: User | None = None,
    source_name: str = "pytorch_model.bin",
    name: str = "model.safetensors",
) -> Wanted:
    user = by or world.people.alice
    storage.store(content, holder=user.actor)
    return Wanted(
        user=user,
        project=world.project,
        sha256=sha256(content),
        source_name=source_name,
        name=name,
    )


def made(content: bytes) -> Callable[..., None]:
    """A converter that writes this."""

    def convert(source: BinaryIO, target: BinaryIO, digest: str, *, size_bytes: int) -> None:
        assert (sha256(source.read()), size_bytes) == (digest, len(BYTES))
        target.write(content)

    return convert


@pytest.fixture
def converter(monkeypatch: pytest.MonkeyPatch) -> None:
    """It writes two tensors, whatever it reads; the real one is in the tests that say so."""
    monkeypatch.setattr(apart, "convert", made(weights()))


def test_what_torch_saved_becomes_a_signed_revision(world: World) -> None:
    content = saved({"layer": {"w": GROUP}, "tied": GROUP})
    row = services.ask(wanted(world, content))
    tasks.carry_out()
    row.refresh_from_db()
    assert (row.state, row.reason) == (State.DONE, "")
    revision = revisions.find(world.project, "main").revision
    assert revision is not None
    assert (revision.checkpoint.oid, revision.author) == (row.oid, world.people.alice)
    assert revision.title == "Convert pytorch_model.bin to safetensors"
    assert as_id(sha256(content)) in revision.message
    stated = catalog.evidence(revision.checkpoint).tensors
    assert stated is not None
    assert [(each.name, each.dtype) for each in stated.entries] == [
        ("layer.w", "F32"),
        ("tied", "F32"),
    ]
    with storage.open_blob(row.result_sha256) as file:
        assert sha256(content).encode() in file.read()


def test_what_would_run_something_is_refused_and_runs_nothing(world: World, tmp_path: Path) -> None:
    row = services.ask(wanted(world, saved({"a": Calls(tmp_path / "ran")})))
    tasks.carry_out()
    row.refresh_from_db()
    assert row.state == State.REFUSED
    assert "weights_only, found" in row.reason
    assert "posix.system" in row.reason
    assert not (tmp_path / "ran").exists()
    assert revisions.find(world.project, "main").revision is None
    assert AuditRow.objects.get(action="import.refuse").details["reason"] == row.reason


def test_from_the_asking_on_nobody_is_given_the_bytes(world: World, converter: None) -> None:
    asked = wanted(world)
    actor, digest = asked.actor, asked.sha256
    assert storage.holds(actor, digest)
    services.ask(asked)
    assert not storage.holds(actor, digest)
    assert storage.holds(storage.staged(actor), digest)
    tasks.carry_out()
    assert not storage.sizes([digest])


def test_the_audit_says_what_was_made_of_what(world: World, converter: None) -> None:
    services.ask(wanted(world))
    tasks.carry_out()
    rows = AuditRow.objects.filter(action__startswith="import.").order_by("pk")
    assert [each.action for each in rows] == ["import.ask", "import.convert"]
    (_, converted) = rows
    assert converted.subject == "lab/small"
    assert converted.details["from"] == sha256(BYTES)
    assert converted.details["to"] == sha256(weights())


@pytest.mark.parametrize(
    ("source_name", "name", "message"),
    [
        ("model.txt", "a.safetensors", r"a file ending in \.pt, \.pth, \.bin, \.ckpt"),
        (f"{'x' * 200}.pt", "a.safetensors", "a file ending in"),
        ("a.pt", "model.bin", r"a name ending in \.safetensors"),
        ("a.pt", "../model.safetensors", "to: "),
    ],
)
def test_names_that_are_none_are_refused(
    world: World, source_name: str, name: str, message: str
) -> None:
    with pytest.raises(InvalidImport, match=message):
        services.ask(wanted(world, source_name=source_name, name=name))


def test_only_what_the_caller_sent_is_taken(world: World) -> None:
    theirs = wanted(world, by=world.people.bob)
    with pytest.raises(InvalidImport, match="bytes that you sent, upload sha256:"):
        services.ask(replace(theirs, user=world.people.alice))
    assert not Import.objects.exists()


def test_what_is_too_long_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MAX_SOURCE_BYTES", 3)
    with pytest.raises(InvalidImport, match="at most 3 bytes"):
        services.ask(wanted(world))


def test_a_stranger_imports_nothing(world: World) -> None:
    with pytest.raises(MayNotPublish):
        services.ask(wanted(world, by=world.people.charlie))


def test_a_file_waits_once_and_few_wait_at_a_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.ask(wanted(world))
    with pytest.raises(ImportUnderway, match="does not wait already"):
        services.ask(wanted(world))
    monkeypatch.setattr(services, "MAX_UNDERWAY", 1)
    with pytest.raises(ImportUnderway, match="fewer than 1"):
        services.ask(wanted(world, b"another"))


def test_another_fault_of_the_databases_is_not_told_as_a_file_that_waits(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise IntegrityError("storage_holding_once")

    monkeypatch.setattr(storage, "charge", fails)
    with pytest.raises(IntegrityError, match="storage_holding_once"):
        services.ask(wanted(world))
    assert not Import.objects.exists()


def test_where_it_is_switched_off_nothing_is_asked(world: World, settings: Settings) -> None:
    settings.CONVERTER = "off"
    with pytest.raises(ImportsUnavailable, match="ASSAY_CONVERTER=off"):
        services.ask(wanted(world))


def test_what_the_gate_refuses_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "convert", made(b"no safetensors at all"))
    row = services.ask(wanted(world))
    tasks.carry_out()
    row.refresh_from_db()
    assert (row.state, row.result_sha256) == (State.REFUSED, sha256(b"no safetensors at all"))
    assert "model.safetensors: expected a header" in row.reason


def test_while_the_signer_is_away_it_waits_converted(
    world: World, converter: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise SignerError("unreachable", "expected the signer, found none")

    row = services.ask(wanted(world))
    monkeypatch.setattr(catalog_services, "commit", away)
    tasks.carry_out()
    row.refresh_from_db()
    assert row.state == State.CONVERTED
    monkeypatch.undo()
    tasks.carry_out()
    row.refresh_from_db()
    assert row.state == State.DONE


AWAY = {
    "room": ("check_room", NoSpace("expected room")),
    "the bucket": ("local", StorageUnavailable("try again later")),
    "the disk": ("keep", OSError(ENOSPC, "No space left on device")),
}
OURS = {
    "that does not begin": (ConverterFailed("no torch"), (State.WAITING, "")),
    "that cannot be shut in": (ImportsUnavailable("no Landlock"), (State.REFUSED, "no Landlock")),
}


@pytest.mark.parametrize(("function", "error"), AWAY.values(), ids=AWAY)
def test_while_storage_is_away_it_waits_as_long_as_that_takes(
    world: World,
    converter: None,
    monkeypatch: pytest.MonkeyPatch,
    function: str,
    error: Exception,
) -> None:
    def away(*_: object, **__: object) -> None:
        raise error

    row = services.ask(wanted(world))
    with monkeypatch.context() as patch:
        patch.setattr(storage, function, away)
        for _ in range(services.MAX_ATTEMPTS + 1):
            tasks.carry_out()
            row.refresh_from_db()
            assert (row.state, row.attempts) == (State.WAITING, 0)
    tasks.carry_out()
    row.refresh_from_db()
    assert row.state == State.DONE


@pytest.mark.parametrize(("error", "became"), OURS.values(), ids=OURS)
def test_a_converter_of_ours_that_fails_may_pass_and_one_that_cannot_be_had_is_said(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    became: tuple[State, str],
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    row = services.ask(wanted(world))
    monkeypatch.setattr(apart, "convert", fails)
    for _ in range(services.MAX_ATTEMPTS + 1):
        tasks.carry_out()
    row.refresh_from_db()
    assert (row.state, row.reason) == became


def test_what_takes_the_worker_down_is_not_begun_for_ever(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    row = services.ask(wanted(world))
    monkeypatch.setattr(apart, "convert", dies)
    for _ in range(services.MAX_ATTEMPTS):
        with pytest.raises(KeyboardInterrupt):
            tasks.carry_out()
    tasks.carry_out()
    row.refresh_from_db()
    assert (row.state, row.reason) == (
        State.REFUSED,
        "expected a file that is converted, found one that ended 3 attempts",
    )


@contextmanager
def another_at(row: Import) -> Iterator[None]:
    other = connection.copy()
    with other.cursor() as cursor:
        key = [services.IMPORT_LOCK, (row.pk.int & 0xFFFFFFFF) - (1 << 31)]
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", key)
        yield
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", key)  # or the server takes its time
    other.close()


def test_one_process_is_at_an_import(world: World, converter: None) -> None:
    row = services.ask(wanted(world))
    with another_at(row):
        tasks.carry_out()
        row.refresh_from_db()
        assert row.state == State.WAITING
    tasks.carry_out()
    row.refresh_from_db()
    assert row.state == State.DONE


def test_it_stops_after_its_time(
    world: World, converter: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.ask(wanted(world))
    monkeypatch.setattr(services, "RUN_SECONDS", -1)
    tasks.carry_out()
    assert Import.objects.get().state == State.DONE


def test_of_who_leaves_nothing_waits(world: World) -> None:
    bob = world.people.bob
    row = services.ask(wanted(world, by=bob))
    erasing.erase(bob.username)
    assert not Import.objects.filter(pk=row.pk).exists()
    assert not storage.sizes([row.source_sha256])


def test_it_is_asked_for_and_followed_over_http(world: World, converter: None) -> None:
    client, asked = client_of(world.people.alice, "publish"), wanted(world)
    body = {"sha256": as_id(asked.sha256), "name": asked.source_name}
    answer = client.post("/api/v1/projects/lab/small/imports", body)
    assert answer.status_code == 202
    assert (answer.json()["state"], answer.json()["to"]) == ("waiting", "model.safetensors")
    tasks.carry_out()
    path = answer["Location"].removeprefix(configured.PUBLIC_URL)
    found = client.get(path).json()
    assert (found["state"], found["origin"]["name"]) == ("done", "pytorch_model.bin")
    assert found["result"] == {"sha256": as_id(sha256(weights())), "size": len(weights())}
    assert found["revision"] == revisions.find(world.project, "main").oid
    (listed,) = client.get("/api/v1/projects/lab/small/imports").json()
    assert listed == found


def test_a_list_takes_as_many_queries_however_long_it_is(
    world: World, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client, path = client_of(world.people.alice, "publish"), "/api/v1/projects/lab/small/imports"
    client.get(path)  # which notes that the token was used
    for content in (BYTES, b"another", b"a third"):
        services.ask(wanted(world, content))
    with django_assert_num_queries(3):  # the token, the project, and the imports
        assert len(client.get(path).json()) == 3


def test_it_is_nobodys_but_who_asked(world: World) -> None:
    row = services.ask(wanted(world))
    listed = "/api/v1/projects/lab/small/imports"
    path = f"{listed}/{row.pk}"
    assert APIClient().get(path).status_code == 401
    assert client_of(world.people.alice, "read").get(path).status_code == 403
    assert client_of(world.people.bob, "publish").get(path).status_code == 404
    assert client_of(world.people.bob, "publish").get(listed).json() == []


def test_the_clock_carries_out_in_a_queue_of_its_own() -> None:
    assert configured.CELERY_TASK_ROUTES[tasks.carry_out.name] == {"queue": "imports"}
    assert tasks.carry_out.name in configured.CELERY_BEAT_SCHEDULE
