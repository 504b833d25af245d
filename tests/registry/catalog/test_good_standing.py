# SPDX-License-Identifier: Apache-2.0
"""What was accepted stands until a material version binds; then that one is to be accepted."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from registry.api import warnings
from registry.catalog import services as catalog
from registry.catalog.errors import AccessNeeded
from registry.catalog.models import Gate
from registry.catalog.queries import gates, open_blobs
from registry.conduct import queries, services, standing
from registry.conduct.errors import NotAccepted, Superseded
from registry.conduct.models import Acceptance
from tests.registry.catalog.world import World, accept, by_person, publish
from tests.registry.conduct.published import replacing
from tests.registry.people import client_of

pytestmark = pytest.mark.django_db

MATERIAL = {"severity": "material"}
LONG_AGO, NEVER = "2026-01-01T00:00:00Z", "2999-01-01T00:00:00Z"
PAGE = "http://localhost:8000/conduct/community-language-models/"


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the answer to a request would warn of."""
    heard: dict[str, str] = {}
    warnings._said.set(heard)
    return heard


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
    assert publish(by_person(world)).conduct == world.conduct  # released under what it was


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


def test_withdrawing_ends_what_it_stood_for(world: World, tmp_path: Path) -> None:
    alice, minor = world.people.alice, replacing(tmp_path, "1.1")
    services.accept(minor, world.lab, alice)
    services.withdraw(world.conduct, world.lab, alice)  # the later one stands
    assert standing.is_good(world.lab, world.conduct)
    with pytest.raises(NotAccepted):
        services.withdraw(world.conduct, world.lab, alice)
    services.withdraw(minor, world.lab, alice)
    assert not standing.is_good(world.lab, minor)


def test_withdrawing_the_later_one_withdraws_the_earlier(world: World, tmp_path: Path) -> None:
    minor = replacing(tmp_path, "1.1")
    services.accept(minor, world.lab, world.people.alice)
    services.withdraw(minor, world.lab, world.people.alice)
    for version in (world.conduct, minor):
        assert not standing.is_good(world.lab, version)
    assert not Acceptance.objects.filter(party=world.lab, withdrawn_at=None).exists()


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
    assert "It forbids or demands more than 1.0: who accepted that one stays" in page


def _is_refused(world: World, files: set[str]) -> None:
    charlie, project = world.people.charlie, world.project
    project.refresh_from_db()
    assert not gates.admits(project, charlie)
    assert open_blobs(files, charlie) == frozenset()
    with pytest.raises(NotAccepted, match=PAGE):
        gates.check(project, charlie)
