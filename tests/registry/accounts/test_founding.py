# SPDX-License-Identifier: Apache-2.0
"""An organisation is founded in a browser or by the API, under a name that was never given."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import F

from registry.accounts import erasing, queries, services
from registry.accounts.errors import TooManyOrganisations
from registry.accounts.models import Membership, Organisation, Role
from registry.audit.models import AuditRow
from tests.registry.people import People, browser, client_of, in_session

pytestmark = pytest.mark.django_db
PAGE, API = "/settings/organisations", "/api/v1/organisations"
A_DAY = timedelta(days=1)


def test_whoever_founds_it_owns_it(people: People) -> None:
    charlie = browser(people.charlie)
    assert "Found an organisation" in charlie.get(PAGE).content.decode()
    answer = charlie.post(PAGE, {"name": " our-lab "}, follow=True)
    assert answer.redirect_chain == [(f"{PAGE}/our-lab", 302)]
    assert "accept the conduct" in answer.content.decode()
    made = queries.organisation("our-lab")
    assert made is not None
    assert queries.role_in(made, people.charlie) is Role.OWNER
    assert AuditRow.objects.filter(action="organisation.create", subject="our-lab").exists()
    assert "our-lab" in charlie.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("", 422, "a name has 2 to 39 characters"),
        ("Our Lab", 422, "a name has 2 to 39 characters"),
        ("x" * 40, 422, "a name has 2 to 39 characters"),
        ("<script>", 422, "&lt;script&gt;"),
        ("settings", 422, "is reserved for the registry itself"),
        ("lab", 409, "expected a name that was never given"),
        ("alice", 409, "expected a name that was never given"),
    ],
)
def test_what_is_no_new_name_is_said_on_the_page(
    people: People, name: str, status: int, words: str
) -> None:
    answer = browser(people.charlie).post(PAGE, {"name": name})
    assert (answer.status_code, words in answer.content.decode()) == (status, True)
    assert not queries.memberships_of(people.charlie).exists()


def test_the_api_founds_and_lists(people: People) -> None:
    charlie = in_session(people.charlie)
    answer = charlie.post(API, {"name": "our-lab"})
    assert (answer.status_code, answer.json()["role"]) == (201, "owner")
    assert [each["name"] for each in charlie.get(API).json()] == ["our-lab"]
    assert charlie.post(API, {"name": "our-lab"}).json()["code"] == "name-taken"
    assert charlie.post(API, {"name": "x" * 40}).status_code == 400
    assert client_of(people.charlie, "publish").post(API, {"name": "other"}).status_code == 403


def test_a_person_founds_so_many(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MOST_FOUNDED", 1)
    answer = browser(people.alice).post(PAGE, {"name": "another"})
    assert (answer.status_code, queries.organisation("another")) == (409, None)
    words = "expected fewer than 1 organisations that alice founded, found as many"
    assert words in answer.content.decode()


def test_who_gives_one_away_has_founded_it_and_who_is_given_it_has_not(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "MOST_FOUNDED", 1)
    services.add_member(people.lab, people.charlie, Role.OWNER, by=people.alice)
    services.remove_member(people.lab, people.alice, by=people.alice)
    with pytest.raises(TooManyOrganisations):
        services.create_organisation("another", people.alice)
    made = services.create_organisation("another", people.charlie)
    assert made.founder == people.charlie


def test_of_what_there_was_who_was_in_it_at_once_has_founded_it(people: People) -> None:
    later = services.create_organisation("later", people.alice)
    services.add_member(later, people.bob, Role.OWNER, by=people.alice)
    services.remove_member(later, people.alice, by=people.alice)
    Membership.objects.filter(organisation=later).update(created_at=F("created_at") + A_DAY)
    for name in ("0005_reader", "0006_founder"):
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        MigrationExecutor(connection).migrate([("accounts", name)])
    people.lab.refresh_from_db()
    later.refresh_from_db()
    assert (people.lab.founder, later.founder) == (people.alice, None)


def test_nothing_says_who_founded_it_once_they_have_left(people: People) -> None:
    services.add_member(people.lab, people.bob, Role.OWNER, by=people.alice)
    erasing.erase(erasing.close("alice"))
    assert Organisation.objects.get().founder is None
