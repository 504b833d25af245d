# SPDX-License-Identifier: Apache-2.0
"""What was accepted stands until a material version binds; then that one is to be accepted."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from registry.api import warnings
from registry.audit.models import AuditRow
from registry.catalog import services as catalog
from registry.catalog.errors import AccessNeeded
from registry.catalog.models import Gate, State
from registry.catalog.queries import gates, open_blobs
from registry.conduct import queries, services, standing
from registry.conduct.errors import NotAccepted, Superseded
from registry.conduct.models import Acceptance, PolicyVersion
from tests.registry.catalog.world import World, accept, by_person, publish
from tests.registry.conduct.published import replacing
from tests.registry.people import client_of

pytestmark = pytest.mark.django_db

MATERIAL = {"severity": "material"}
LONG_AGO, NEVER = "2026-01-01T00:00:00Z", "2999-01-01T00:00:00Z"
PAGE = "http://localhost:8000/conduct/community-language-models/"


@pytest.fixture
def said() -> Iterator[dict[str, str]]:
    """What the answer to a request would warn of."""
    with warnings.collected() as heard:
        yield heard


@pytest.fixture
def grace_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """For versions that are published from now on."""
    monkeypatch.setattr(standing, "GRACE", timedelta(seconds=-1))


def test_a_minor_version_asks_nothing_of_who_accepted(
    world: World, said: dict[str, str], tmp_path: Path
) -> None:
    minor = replacing(tmp_path, "1.1")
    assert minor.binds_at is None
    for version in (world.conduct, minor):
        standing.require(world.lab, version)
    assert said == {}


def test_a_material_version_binds_after_a_while_and_answers_say_so_before(
    world: World, said: dict[str, str], tmp_path: Path
) -> None:
    material = replacing(tmp_path, "2.0", **MATERIAL, effective_at=LONG_AGO)
    assert material.binds_at is not None
    left = material.binds_at - timezone.now()
    assert timedelta(days=29) < left <= standing.GRACE  # from when it came, not from its own date
    for version in (world.conduct, material):
        said.clear()
        standing.require(world.lab, version)
        day = f"{material.binds_at:%Y-%m-%d}"
        assert f"lab has not accepted {material.title}, version 2.0: " in said["conduct"]
        assert f"accept it at {PAGE}2.0 before {day}" in said["conduct"]
    services.accept(material, world.lab, world.people.alice)
    said.clear()
    standing.require(world.lab, world.conduct)
    assert said == {}


def test_rules_that_are_not_in_effect_bind_later_still(world: World, tmp_path: Path) -> None:
    coming = replacing(tmp_path, "2.0", **MATERIAL, effective_at=NEVER)
    assert coming.binds_at == datetime(2999, 1, 1, tzinfo=UTC) + standing.GRACE
    charlie = world.people.charlie
    accept(world, charlie)  # the rules that are in effect by now can be accepted
    services.accept(coming, charlie.namespace, charlie)  # and those that will be


def test_once_it_binds_the_older_acceptance_opens_nothing(
    world: World, grace_is_over: None, tmp_path: Path
) -> None:
    material = replacing(tmp_path, "2.0", **MATERIAL)
    expected = rf"lab to have accepted .* version 2\.0, found 1\.0, which it replaced: .*{PAGE}2\.0"
    for version in (world.conduct, material):
        assert not standing.is_good(world.lab, version)
        with pytest.raises(NotAccepted, match=expected):
            standing.require(world.lab, version)
    with pytest.raises(NotAccepted, match=expected):
        standing.require_any(world.lab)
    reference = queries.reference(world.conduct)
    assert standing.hold(world.lab, reference) is None
    assert standing.accepted(world.lab, None) is None
    with pytest.raises(NotAccepted, match=expected):
        publish(by_person(world))
    services.accept(material, world.lab, world.people.alice)
    assert standing.accepted(world.lab, reference) == queries.reference(material)
    published = publish(by_person(world))
    assert (published.state, published.reason) == (State.PUBLISHED, "")
    assert published.conduct == world.conduct  # released under what it was


def test_a_reference_names_what_was_published(world: World) -> None:
    reference = queries.reference(world.conduct)
    assert standing.accepted(world.lab, reference) == reference
    for other in ({"version": "9.9"}, {"id": "house-rules"}, {"sha256": "0" * 64}):
        wrong = dataclasses.replace(reference, **other)
        assert standing.accepted(world.lab, wrong) is None
        assert standing.hold(world.lab, wrong) is None


def test_a_replaced_version_is_accepted_by_nobody(
    world: World, tmp_path: Path, client: Client
) -> None:
    minor, charlie = replacing(tmp_path, "1.1"), world.people.charlie
    with pytest.raises(Superseded, match=rf"models@1\.1, which replaced .*{PAGE}1\.1"):
        accept(world, charlie)
    address = f"/api/v1{world.conduct.path}/acceptances"
    said = client_of(charlie, "publish").post(address, {"owner": "charlie"})
    assert (said.status_code, said.json()["code"]) == (409, "conduct-superseded")
    client.force_login(charlie)
    page = client.get(world.conduct.path).content.decode()
    assert 'name="typed"' not in page
    assert f'<a href="{minor.path}">1.1</a> replaced it' in page
    answer = client.post(f"{world.conduct.path}/answer", {"owner": "charlie", "typed": "1.0"})
    assert answer.status_code == 409
    assert not Acceptance.objects.filter(party=charlie.namespace).exists()
    # Who accepted it before is told so, and no other acceptance is made.
    assert services.accept(world.conduct, world.lab, world.people.alice).version == world.conduct


@pytest.mark.parametrize("number", ["1.0", "1.1"])
def test_withdrawing_one_withdraws_them_all(world: World, tmp_path: Path, number: str) -> None:
    """Each stood for the others, too."""
    alice, minor = world.people.alice, replacing(tmp_path, "1.1")
    services.accept(minor, world.lab, alice)
    services.withdraw(queries.version(minor.policy_id, number), world.lab, alice)
    for version in (world.conduct, minor):
        assert not standing.is_good(world.lab, version)
        with pytest.raises(NotAccepted):
            services.withdraw(version, world.lab, alice)
    row = AuditRow.objects.get(action="conduct.withdraw")
    assert row.details == {"versions": [str(world.conduct), str(minor)]}


def test_what_stands_no_longer_is_shown_so_and_not_accepted_again(
    world: World, grace_is_over: None, tmp_path: Path, client: Client
) -> None:
    material, alice = replacing(tmp_path, "2.0", **MATERIAL), world.people.alice
    with pytest.raises(Superseded):
        services.accept(world.conduct, world.lab, alice)
    client.force_login(alice)
    page = client.get("/settings/conduct").content.decode()
    assert f'stands no longer: <a href="{material.path}">2.0</a> replaced it' in page
    assert "in force" not in page
    page = client.get(world.conduct.path).content.decode()
    assert "Yes, withdraw for lab" not in page
    services.accept(material, world.lab, alice)
    assert "in force" in client.get("/settings/conduct").content.decode()


def test_the_warning_names_what_can_be_accepted_and_the_first_day(
    world: World, said: dict[str, str], tmp_path: Path
) -> None:
    material = replacing(tmp_path, "2.0", **MATERIAL)
    minor = replacing(tmp_path, "2.1", after="2.0")
    replacing(tmp_path, "3.0", after="2.1", effective_at=NEVER, **MATERIAL)
    standing.require(world.lab, world.conduct)
    assert (
        f"accept it at {PAGE}{minor.version} before {material.binds_at:%Y-%m-%d}" in said["conduct"]
    )


def test_who_accepted_nothing_is_led_to_the_registrys_own_rules(world: World) -> None:
    services.publish_version(services.SHIPPED / "openmdw", "1.1")
    with pytest.raises(NotAccepted, match=f"found none: read and accept it at {PAGE}1.0"):
        standing.require_any(world.people.charlie.namespace)


def test_an_upgrade_gives_everybody_their_thirty_days(world: World, tmp_path: Path) -> None:
    old = replacing(tmp_path, "2.0", **MATERIAL, effective_at=LONG_AGO)
    minor = replacing(tmp_path, "2.1", after="2.0")
    migration = import_module("registry.conduct.migrations.0003_binding")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # as they are when a migration begins
        cursor.execute(migration.FORWARD)
    for version in (world.conduct, old, minor):
        version.refresh_from_db()
    assert (minor.binds_at, world.conduct.binds_at) == (None, old.binds_at)
    assert old.binds_at is not None
    assert old.binds_at - timezone.now() > timedelta(days=29)
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        PolicyVersion.objects.update(title="Another")


def test_who_was_let_in_has_the_files_while_they_keep_the_rules(
    world: World, grace_is_over: None, tmp_path: Path
) -> None:
    charlie, submission = world.people.charlie, by_person(world)
    publish(submission)
    project = catalog.set_gate(world.project, Gate.ASKS, by=world.people.alice)
    files = {file.sha256 for file in submission.manifest.files}
    with pytest.raises(NotAccepted, match=f"{PAGE}1.0"):
        catalog.ask(project, by=charlie)
    catalog.grant(project, charlie, by=world.people.alice)
    _is_refused(world, files)
    accept(world, charlie)
    gates.check(project, charlie)
    assert gates.admits(project, charlie)
    assert open_blobs(files, charlie) == files
    material = replacing(tmp_path, "2.0", **MATERIAL)
    _is_refused(world, files)
    services.accept(material, charlie.namespace, charlie)
    assert open_blobs(files, charlie) == files
    services.withdraw(material, charlie.namespace, charlie)
    _is_refused(world, files)
    with pytest.raises(AccessNeeded):
        gates.check(project, None)


def test_the_page_says_until_when_what_was_accepted_stands(
    world: World, tmp_path: Path, client: Client
) -> None:
    material = replacing(tmp_path, "2.0", **MATERIAL)
    assert material.binds_at is not None
    page = client.get(material.path).content.decode()
    assert "It is accepted anew: what was accepted of 1.0 stands until" in page


def _is_refused(world: World, files: set[str]) -> None:
    charlie, project = world.people.charlie, world.project
    project.refresh_from_db()
    assert not gates.admits(project, charlie)
    assert open_blobs(files, charlie) == frozenset()
    with pytest.raises(NotAccepted, match=PAGE):
        gates.check(project, charlie)
