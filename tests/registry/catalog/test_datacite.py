# SPDX-License-Identifier: Apache-2.0
"""DataCite is told of DOIs until it has them, and again when what it was told is true no more."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from registry.audit.models import AuditRow
from registry.catalog import datacite, queries, services, tasks
from registry.catalog.errors import NoDois
from registry.catalog.models import Checkpoint, Doi, Visibility
from registry.catalog.models.registered import DoiState
from registry.catalog.services import dois, registering, takedowns
from registry.catalog.services.takedowns import Order
from registry.conduct import services as conduct
from registry.site import erasing
from tests.registry.catalog.datacite import PASSWORD, DataCite, asked, later, name_of, serving
from tests.registry.catalog.test_history_of_what_was_published import migrate, newest
from tests.registry.catalog.world import World, by_person, changed, project, publish
from tests.registry.people import browser, client_of

pytestmark = pytest.mark.django_db


def test_one_that_was_made_private_before_datacite_heard_of_it_is_not_told(
    world: World, first: Checkpoint, remote: DataCite
) -> None:
    asked(world, first)
    services.show(world.project, Visibility.PRIVATE, by=world.people.alice)
    tasks.register()
    row = Doi.objects.get()
    assert (row.state, row.reason) == (DoiState.REFUSED, registering.NOT_PUBLIC)
    assert remote.requests == 0


def test_an_answer_that_is_lost_costs_a_second_request(
    world: World, first: Checkpoint, remote: DataCite
) -> None:
    asked(world, first)
    remote.next = ["vanish"]
    tasks.register()
    row = Doi.objects.get()
    assert (row.state, row.registered_at) == (DoiState.WAITING, None)
    assert "DataCite did not answer" in row.reason
    assert name_of(first) in remote.dois
    later()
    assert Doi.objects.get().state == DoiState.REGISTERED
    assert remote.statuses == [200]
    assert len(remote.dois) == 1


def test_an_answer_that_is_lost_leaves_nothing_findable_that_is_private_by_now(
    world: World, first: Checkpoint, remote: DataCite
) -> None:
    asked(world, first)
    remote.next = ["vanish"]
    tasks.register()
    services.show(world.project, Visibility.PRIVATE, by=world.people.alice)
    later()
    assert remote.dois[name_of(first)]["state"] == "registered"
    assert AuditRow.objects.filter(action="doi.hide").count() == 1


def test_nor_where_a_later_request_was_refused(
    world: World, first: Checkpoint, remote: DataCite
) -> None:
    asked(world, first)
    remote.next = ["vanish", 401]
    tasks.register()
    later()
    assert Doi.objects.get().state == DoiState.REFUSED
    tasks.register()
    assert remote.requests == 2  # while everybody sees it, nothing is wrong with it
    services.show(world.project, Visibility.PRIVATE, by=world.people.alice)
    remote.next = [401]
    tasks.register()
    assert Doi.objects.get().state == DoiState.WAITING  # that is not given up
    later()
    assert remote.dois[name_of(first)]["state"] == "registered"


def test_nor_where_its_owner_has_left(world: World, remote: DataCite) -> None:
    one, two = by_charlie(world)
    dois.ask(one, by=world.people.charlie)
    remote.next = ["vanish"]
    tasks.register()
    dois.ask(two, by=world.people.charlie)
    remote.next = [503]
    tasks.register()
    erasing.erase("charlie")
    later()
    assert {doi: each["state"] for doi, each in remote.dois.items()} == {name_of(one): "registered"}
    assert [row.doi for row in Doi.objects.all()] == [name_of(one)]  # of the other there is none


def test_what_never_arrived_and_is_private_by_now_ends(
    world: World, first: Checkpoint, remote: DataCite
) -> None:
    asked(world, first)
    remote.next = [503]
    tasks.register()
    services.show(world.project, Visibility.PRIVATE, by=world.people.alice)
    later()
    row = Doi.objects.get()
    assert (row.state, row.reason) == (DoiState.REFUSED, registering.NOT_PUBLIC)
    tasks.register()
    assert (remote.requests, remote.dois) == (2, {})


def test_what_is_forgotten_before_it_is_sent_is_not_sent(
    world: World, first: Checkpoint, remote: DataCite, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = asked(world, first)

    def told(_of: Checkpoint) -> bool:
        row.delete()  # somebody leaves between the claim and this
        return True

    monkeypatch.setattr(queries, "is_everybodys", told)
    tasks.register()
    assert remote.requests == 0


def test_what_an_older_version_tried_may_be_there(
    world: World, first: Checkpoint, account: Path
) -> None:
    row = asked(world, first)
    for attempts, is_marked in ((0, False), (1, True)):
        Doi.objects.update(attempts=attempts)
        migrate("0025_dois")
        migrate(newest())
        row.refresh_from_db()
        assert (row.sent_at == row.due_at) == is_marked


def test_a_crash_after_the_request_costs_a_second_one(
    world: World, first: Checkpoint, remote: DataCite
) -> None:
    row = asked(world, first)
    tasks.register()
    Doi.objects.update(
        state=DoiState.WAITING, attempts=1, registered_at=None, is_findable=False
    )  # as the claim left it: the process was killed before it wrote
    later()
    assert Doi.objects.get(pk=row.pk).state == DoiState.REGISTERED
    assert remote.statuses == [201, 200]


@pytest.mark.parametrize("status", [500, 503, 429])
def test_what_is_away_is_asked_again_and_not_for_ever(
    world: World, first: Checkpoint, remote: DataCite, status: int
) -> None:
    asked(world, first)
    remote.next = [status] * (len(registering.PAUSES) + 1)
    before = timezone.now()
    tasks.register()
    tasks.register()
    assert remote.requests == 1  # the second is not due
    waits = Doi.objects.get()
    assert waits.state == DoiState.WAITING
    assert before <= waits.due_at - registering.PAUSES[0] <= timezone.now()
    for _ in registering.PAUSES:
        later()
    ended = Doi.objects.get()
    assert ended.state == DoiState.REFUSED
    assert ended.reason.startswith(f"DataCite answered {status}: ")
    later()
    assert remote.requests == len(registering.PAUSES) + 1
    asked(world, first)
    tasks.register()
    assert Doi.objects.get().state == DoiState.REGISTERED


def test_one_that_nobody_can_reach_waits(world: World, first: Checkpoint, account: Path) -> None:
    asked(world, first)
    tasks.register()
    assert (Doi.objects.get().state, Doi.objects.get().reason) == (
        DoiState.WAITING,
        "DataCite did not answer: ConnectError",
    )
    page = browser(world.people.alice).get(first.path).content.decode()
    assert "DataCite did not answer" in page


def test_a_redirect_is_not_followed(world: World, first: Checkpoint, remote: DataCite) -> None:
    asked(world, first)
    with serving() as other:
        remote.next = [f"{other.url}/dois/{name_of(first)}"]
        tasks.register()
        assert other.requests == 0
    assert Doi.objects.get().state == DoiState.REFUSED


@pytest.mark.parametrize(
    "wrong", [("DATACITE_ACCOUNT", "ABCD.OTHER", 401), ("DOI_PREFIX", "10.9999", 422)]
)
def test_what_datacite_refuses_ends_with_its_reason_and_without_the_password(
    world: World,
    first: Checkpoint,
    remote: DataCite,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    wrong: tuple[str, str, int],
) -> None:
    caplog.set_level(logging.DEBUG)
    setting, value, status = wrong
    right = getattr(settings, setting)
    setattr(settings, setting, value)
    asked(world, first)
    tasks.register()
    row = Doi.objects.get()
    assert row.state == DoiState.REFUSED
    assert row.reason == f"DataCite answered {status}: Refused to Basic …, whose password is …"
    refused = AuditRow.objects.get(action="doi.refuse")
    for said in (caplog.text, str(refused.details), repr(datacite.Account.read())):
        assert PASSWORD not in said
    alice = browser(world.people.alice)
    assert f"DataCite answered {status}" in alice.get(first.path).content.decode()
    assert "DataCite" not in client_of(None).get(first.path).content.decode()
    setattr(settings, setting, right)
    asked(world, first)
    tasks.register()
    assert list(remote.dois) == [name_of(first)]
    assert Doi.objects.get().state == DoiState.REGISTERED


def test_a_password_that_is_gone_waits_and_is_named_by_its_file(
    world: World,
    first: Checkpoint,
    remote: DataCite,
    account: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    asked(world, first)
    account.rename(account.with_suffix(".old"))
    tasks.register()
    assert (Doi.objects.get().state, Doi.objects.get().attempts) == (DoiState.WAITING, 0)
    assert str(account) in caplog.text
    with pytest.raises(NoDois, match="expected a file of text to read"):
        asked(world, first)
    account.write_text(f"{PASSWORD}\n")
    tasks.register()
    assert remote.statuses == [201]


def test_a_takedown_hides_it_and_it_leads_to_what_is_left(
    world: World, first: Checkpoint, remote: DataCite
) -> None:
    asked(world, first)
    tasks.register()
    takedowns.take_down_checkpoint(first, Order(reason="It was not theirs.", by="user:alice"))
    remote.next = [503] * (len(registering.PAUSES) + 3)
    tasks.register()
    for _ in registering.PAUSES:
        later()
    assert Doi.objects.get().state == DoiState.WAITING  # a change is never given up
    remote.next = [401]
    later()
    later()
    record = remote.dois[name_of(first)]
    assert (record["state"], record["url"]) == ("registered", f"http://localhost:8000{first.path}")
    page = client_of(None).get(first.path).content.decode()
    assert "Taken down by this registry" in page
    assert f'href="https://doi.org/{name_of(first)}"' in page
    assert AuditRow.objects.filter(action="doi.hide").count() == 1


def test_what_is_private_is_hidden_until_it_is_everybodys_again(
    world: World, first: Checkpoint, remote: DataCite
) -> None:
    asked(world, first)
    tasks.register()
    for visibility, state in (
        (Visibility.PRIVATE, "registered"),
        (Visibility.PUBLIC, "findable"),
    ):
        services.show(world.project, visibility, by=world.people.alice)
        tasks.register()
        assert remote.dois[name_of(first)]["state"] == state
    services.end(world.project, by=world.people.alice)
    tasks.register()
    tasks.register()
    assert remote.dois[name_of(first)]["state"] == "registered"
    assert remote.requests == 4


def test_it_follows_a_project_that_moves(world: World, first: Checkpoint, remote: DataCite) -> None:
    asked(world, first)
    tasks.register()
    services.move(world.project, world.lab, "large", by=world.people.alice)
    tasks.register()
    assert list(remote.dois) == [name_of(first)]
    assert remote.dois[name_of(first)]["url"] == "http://localhost:8000/lab/large/first"


def by_charlie(world: World) -> tuple[Checkpoint, Checkpoint]:
    charlie = world.people.charlie
    conduct.accept(world.conduct, charlie.namespace, charlie)
    own = project(charlie.namespace, world.conduct, charlie, "own")
    one = publish(changed(by_person(world, user=charlie), project=own))
    two = publish(changed(by_person(world, "two", {"a.txt": b"two"}, charlie), project=own))
    return one, two


def test_who_leaves_has_it_hidden_and_what_waited_forgotten(world: World, remote: DataCite) -> None:
    charlie = world.people.charlie
    one, two = by_charlie(world)
    dois.ask(one, by=charlie)
    tasks.register()
    dois.ask(two, by=charlie)
    erasing.erase("charlie")
    tasks.register()
    assert {doi: each["state"] for doi, each in remote.dois.items()} == {name_of(one): "registered"}
    assert [row.doi for row in Doi.objects.all()] == [name_of(one)]
