# SPDX-License-Identifier: Apache-2.0
"""DOIs: asked for by an owner, never by themselves, and in every citation (test_datacite.py)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from registry.accounts.queries import Scope
from registry.audit.models import AuditRow
from registry.catalog import services, tasks
from registry.catalog.errors import DoiRefused, MayNotGovern
from registry.catalog.models import Checkpoint, Doi, Visibility
from registry.catalog.models.registered import DoiState
from registry.catalog.queries import citing
from registry.catalog.services import dois, takedowns
from registry.catalog.services.takedowns import Order
from tests.registry.catalog.datacite import DataCite, asked, later, name_of
from tests.registry.catalog.world import World, by_person, changed, project, publish
from tests.registry.people import browser, client_of, client_of_job

pytestmark = pytest.mark.django_db
URL = "/api/v1/projects/lab/small/checkpoints/first/doi"
CHECKPOINT = "/api/v1/projects/lab/small/checkpoints/first"


def cited(checkpoint: Checkpoint) -> dict[str, str]:
    return {name: form(checkpoint) for name, (_, form) in citing.FORMS.items()}


def test_without_an_account_nothing_is_offered(world: World, first: Checkpoint) -> None:
    page = browser(world.people.alice).get(first.path).content.decode()
    assert "DOI" not in page
    assert client_of(None).get(CHECKPOINT).json()["doi"] is None
    answer = client_of(world.people.alice, Scope.PUBLISH).post(URL)
    assert (answer.status_code, answer.json()["code"]) == (404, "no-dois")
    tasks.register()
    assert not Doi.objects.exists()


def test_an_owner_asks_and_everybody_cites_it(
    world: World, first: Checkpoint, remote: DataCite
) -> None:
    doi, alice = name_of(first), client_of(world.people.alice, Scope.PUBLISH)
    assert alice.get(URL).json()["code"] == "doi-unknown"
    answer = alice.post(URL)
    assert (answer.status_code, answer.json()["state"]) == (202, "waiting")
    assert all(doi not in text for text in cited(first).values())
    tasks.register()
    sent = remote.dois[doi]
    assert (sent["state"], sent["url"]) == ("findable", f"http://localhost:8000{first.path}")
    assert sent["titles"] == [{"title": "A small model, first"}]
    assert client_of(None).get(CHECKPOINT).json()["doi"] == doi
    again = alice.post(URL)
    assert (again.status_code, again.json()["url"]) == (200, f"https://doi.org/{doi}")
    assert f'href="https://doi.org/{doi}"' in client_of(None).get(first.path).content.decode()
    said = cited(first)
    assert f"doi = {{{doi}}}" in said["citation.bib"]
    assert yaml.safe_load(said["CITATION.cff"])["doi"] == doi
    assert json.loads(said["datacite.json"])["doi"] == doi
    assert {"@id": "#doi", "@type": "PropertyValue", "name": "DOI", "value": doi} in json.loads(
        said["ro-crate-metadata.json"]
    )["@graph"]
    rows = AuditRow.objects.filter(action__startswith="doi.").order_by("pk")
    assert [(row.action, row.subject) for row in rows] == [
        ("doi.ask", "lab/small@first"),
        ("doi.register", "lab/small@first"),
    ]


def test_nothing_is_registered_that_nobody_asked_for(first: Checkpoint, remote: DataCite) -> None:
    assert first.published_at
    tasks.register()
    assert remote.requests == 0


def test_asked_twice_it_is_one(world: World, first: Checkpoint, remote: DataCite) -> None:
    assert asked(world, first) == asked(world, first)
    tasks.register()
    later()
    assert asked(world, first).state == DoiState.REGISTERED
    assert (remote.requests, list(remote.dois)) == (1, [name_of(first)])


def test_the_button_works_without_script(world: World, first: Checkpoint, remote: DataCite) -> None:
    alice, page = browser(world.people.alice), f"{first.path}/doi"
    assert f'action="{page}"' in alice.get(first.path).content.decode()
    assert page not in browser(world.people.bob).get(first.path).content.decode()
    answer = alice.post(page, follow=True)
    assert "is being registered" in answer.content.decode()
    assert f"being told of {name_of(first)}" in answer.content.decode()
    tasks.register()
    shown = alice.get(first.path).content.decode()
    assert f'href="https://doi.org/{name_of(first)}"' in shown
    assert page not in shown
    assert alice.get(page).status_code == 405


def test_members_and_strangers_ask_for_none(world: World, first: Checkpoint, account: Path) -> None:
    people = world.people
    for person in (people.bob, people.charlie):
        answer = client_of(person, Scope.PUBLISH).post(URL)
        assert (answer.status_code, answer.json()["code"]) == (403, "may-not-govern")
        assert client_of(person, Scope.PUBLISH).get(URL).status_code == 403
        assert browser(person).post(f"{first.path}/doi").status_code == 404
        with pytest.raises(MayNotGovern):
            dois.ask(first, by=person)
    assert client_of(None).post(URL).status_code == 401
    assert client_of(people.alice, Scope.READ).post(URL).status_code == 403
    assert browser(None).post(f"{first.path}/doi").status_code == 302
    assert not Doi.objects.exists()


def test_a_job_that_an_owner_named_asks_for_none(
    world: World, first: Checkpoint, account: Path
) -> None:
    job = client_of_job(world.people.alice)
    for answer in (job.post(URL), job.get(URL)):
        assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")
    assert not Doi.objects.exists()


def test_what_not_everybody_sees_gets_none(world: World, first: Checkpoint, account: Path) -> None:
    services.show(world.project, Visibility.PRIVATE, by=world.people.alice)
    assert client_of(world.people.charlie, Scope.PUBLISH).post(URL).status_code == 404
    answer = client_of(world.people.alice, Scope.PUBLISH, Scope.READ).post(URL)
    assert (answer.status_code, answer.json()["code"]) == (422, "doi-refused")
    alice = browser(world.people.alice)
    assert f"{first.path}/doi" not in alice.get(first.path).content.decode()
    refused = alice.post(f"{first.path}/doi", follow=True).content.decode()
    assert "expected a published checkpoint that everybody sees" in refused
    assert alice.post("/lab/small/none/doi").status_code == 404
    services.show(world.project, Visibility.PUBLIC, by=world.people.alice)
    takedowns.take_down_checkpoint(first, Order(reason="It was not theirs.", by="user:alice"))
    with pytest.raises(DoiRefused):
        asked(world, first)
    assert not Doi.objects.exists()


def test_the_same_files_in_two_projects_have_a_doi_each(
    world: World, first: Checkpoint, remote: DataCite
) -> None:

    other = project(world.lab, world.conduct, world.people.alice, "other")
    second = publish(changed(by_person(world), project=other))
    assert second.manifest_sha256 == first.manifest_sha256
    for each in (first, second):
        asked(world, each)
    tasks.register()
    assert set(remote.dois) == {name_of(first), name_of(second)}
    assert len(remote.dois) == 2
