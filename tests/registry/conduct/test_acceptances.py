# SPDX-License-Identifier: Apache-2.0
"""Acceptances: signed without naming the party, in force until withdrawn, never rewritten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from pytest_django import DjangoDbBlocker

from assay.signing.statements import AcceptanceClaim, Statement, party_commitment
from registry.audit.models import AuditRow
from registry.conduct import queries, services, standing
from registry.conduct.errors import NotAccepted, NotYours
from registry.conduct.models import Acceptance, PolicyVersion
from tests.registry.conduct.published import first_version
from tests.registry.people import People, client_of, invite
from tests.registry.undone import undone
from tests.running import Authority

URL = "/api/v1/conduct/community-language-models/1.0/acceptances"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Three people, and the conduct version that they may accept."""

    people: People
    version: PolicyVersion


@pytest.fixture(scope="module")
def rules(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, authority: Authority
) -> Iterator[Rules]:
    with undone(django_db_blocker):
        published = first_version()
        yield Rules(people=invite(), version=published)


@pytest.fixture
def db(rules: Rules, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with undone(django_db_blocker):
        yield


@pytest.fixture
def people(db: None, rules: Rules) -> People:
    return rules.people


@pytest.fixture
def version(db: None, rules: Rules) -> PolicyVersion:
    return rules.version


def test_who_accepts_is_in_good_standing(people: People, version: PolicyVersion) -> None:
    lab = people.lab.namespace
    assert not standing.is_good(lab, version)
    services.accept(version, lab, people.alice)
    assert standing.is_good(lab, version)
    assert not standing.is_good(people.alice.namespace, version)


def test_the_ledger_learns_that_somebody_accepted_and_not_who(
    people: People, version: PolicyVersion
) -> None:
    acceptance = services.accept(version, people.lab.namespace, people.alice)
    payload = bytes(acceptance.statement.payload)
    assert b"lab" not in payload
    assert b"alice" not in payload
    # As it ends the name of a party; three letters may be in any signature.
    assert b"/lab" not in bytes(acceptance.statement.leaf)
    claim = AcceptanceClaim.parse(Statement.parse(payload))
    uri = "http://localhost:8000/lab"
    assert claim.commitment == party_commitment(bytes(acceptance.salt), uri)
    assert claim.conduct == queries.reference(version)


def test_accepting_again_is_the_acceptance_that_is_there(
    people: People, version: PolicyVersion
) -> None:
    first = services.accept(version, people.lab.namespace, people.alice)
    assert services.accept(version, people.lab.namespace, people.alice) == first
    assert AuditRow.objects.filter(action="conduct.accept").count() == 1


def test_only_owners_accept_for_an_organisation(people: People, version: PolicyVersion) -> None:
    for other in (people.bob, people.charlie):  # a member is no officer
        with pytest.raises(NotYours):
            services.accept(version, people.lab.namespace, other)
    services.accept(version, people.lab.namespace, people.alice)
    for other in (people.bob, people.charlie):
        with pytest.raises(NotYours):
            services.withdraw(version, people.lab.namespace, other)
    assert standing.is_good(people.lab.namespace, version)


def test_withdrawing_ends_it_and_it_can_be_accepted_anew(
    people: People, version: PolicyVersion
) -> None:
    lab = people.lab.namespace
    services.accept(version, lab, people.alice)
    services.withdraw(version, lab, people.alice)
    assert not standing.is_good(lab, version)
    with pytest.raises(NotAccepted):
        services.withdraw(version, lab, people.alice)
    services.accept(version, lab, people.alice)
    assert standing.is_good(lab, version)
    assert Acceptance.objects.count() == 2


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE conduct_acceptance SET salt = '\\x00'",
        "UPDATE conduct_acceptance SET withdrawn_at = now(), by_id = by_id + 1",
        "DELETE FROM conduct_acceptance",
    ],
)
def test_the_database_lets_an_acceptance_only_be_withdrawn(
    people: People, version: PolicyVersion, change: str
) -> None:
    services.accept(version, people.lab.namespace, people.alice)
    with (
        pytest.raises(IntegrityError, match="only withdrawn"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change)


def test_a_withdrawal_is_not_taken_back(people: People, version: PolicyVersion) -> None:
    services.accept(version, people.lab.namespace, people.alice)
    services.withdraw(version, people.lab.namespace, people.alice)
    with pytest.raises(IntegrityError, match="only withdrawn"), transaction.atomic():
        Acceptance.objects.update(withdrawn_at=None)


def test_accepting_over_http(people: People, version: PolicyVersion) -> None:
    answer = client_of(people.alice, "publish").post(URL, {"owner": "lab"})
    assert answer.status_code == 201
    acceptance = Acceptance.objects.get()
    assert answer.json() == {
        "owner": "lab",
        "conduct": "community-language-models@1.0",
        "statement": acceptance.statement.sha256,
        "salt": bytes(acceptance.salt).hex(),
        "accepted_at": acceptance.accepted_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "consent": None,
    }


def test_without_an_owner_it_is_ones_own(people: People, version: PolicyVersion) -> None:
    answer = client_of(people.charlie, "publish").post(URL, {})
    assert answer.json()["owner"] == "charlie"


def test_withdrawing_over_http(people: People, version: PolicyVersion) -> None:
    alice = client_of(people.alice, "publish")
    alice.post(URL, {"owner": "lab"})
    assert alice.delete(f"{URL}/lab").status_code == 204
    again = alice.delete(f"{URL}/lab")
    assert (again.status_code, again.json()["code"]) == (403, "conduct-not-accepted")
    assert not standing.is_good(people.lab.namespace, version)


@pytest.mark.parametrize("owner", ["lab", "nobody"])
def test_somebody_elses_name_over_http(people: People, version: PolicyVersion, owner: str) -> None:
    charlie = client_of(people.charlie, "publish")
    for answer in (charlie.post(URL, {"owner": owner}), charlie.delete(f"{URL}/{owner}")):
        assert (answer.status_code, answer.json()["code"]) == (403, "not-your-name")
    assert not Acceptance.objects.exists()


def test_a_token_for_something_else_accepts_nothing(people: People, version: PolicyVersion) -> None:
    assert client_of(people.alice, "read", "outputs").post(URL, {}).status_code == 403
    assert client_of(None).post(URL, {}).status_code == 401
    assert not Acceptance.objects.exists()


def test_an_unknown_version_over_http(people: People, version: PolicyVersion) -> None:
    answer = client_of(people.alice, "publish").post("/api/v1/conduct/other/1.0/acceptances", {})
    assert answer.status_code == 404


def test_a_person_accepts_and_withdraws_on_the_page(
    people: People, version: PolicyVersion, client: Client
) -> None:
    client.force_login(people.alice)
    assert 'value="lab"' in client.get(version.path).content.decode()
    answer = client.post(f"{version.path}/answer", {"owner": "lab", "typed": " 1.0 "})
    assert (answer.status_code, answer["Location"]) == (302, version.path)
    assert standing.is_good(people.lab.namespace, version)
    for _ in range(2):
        client.post(f"{version.path}/answer", {"owner": "lab", "withdraw": "1"})
        assert not standing.is_good(people.lab.namespace, version)


@pytest.mark.parametrize("typed", [None, "", "1.1", "yes"])
def test_nobody_accepts_by_a_button_alone(
    people: People, version: PolicyVersion, client: Client, typed: str | None
) -> None:
    client.force_login(people.alice)
    form = {"owner": "lab"} if typed is None else {"owner": "lab", "typed": typed}
    answer = client.post(f"{version.path}/answer", form)
    said = answer.content.decode()
    assert (answer.status_code, said.count("Expected 1.0: nothing was accepted.")) == (200, 1)
    assert not Acceptance.objects.exists()


@pytest.mark.parametrize("owner", ["lab", "nobody", "", "la\0b"])
def test_the_page_accepts_for_nobody_else(
    people: People, version: PolicyVersion, client: Client, owner: str
) -> None:
    for person in (people.bob, people.charlie):
        client.force_login(person)
        answer = client.post(f"{version.path}/answer", {"owner": owner, "typed": "1.0"})
        assert answer.status_code == 404
    assert 'value="lab"' not in client.get(version.path).content.decode()
    assert not Acceptance.objects.exists()


def test_nobody_is_sent_to_sign_in(version: PolicyVersion, client: Client) -> None:
    answer = client.post(f"{version.path}/answer", {"owner": "lab"})
    assert answer.status_code == 302
    assert "login" in answer["Location"]
    assert not Acceptance.objects.exists()


def test_people_see_what_they_accepted_and_withdrew(
    people: People, version: PolicyVersion, client: Client
) -> None:
    for party in (people.lab.namespace, people.alice.namespace):
        services.accept(version, party, people.alice)
    services.withdraw(version, people.lab.namespace, people.alice)
    client.force_login(people.alice)
    page = client.get("/settings/conduct").content.decode()
    assert (page.count("for lab"), page.count("for alice")) == (1, 1)
    assert page.index("for alice") < page.index("for lab") < page.index("withdrawn")
    assert queries.acceptances([people.alice.namespace])[0].salt_hex in page
    client.force_login(people.bob)  # a member decides for nobody but himself
    assert "for lab" not in client.get("/settings/conduct").content.decode()
    client.logout()
    assert client.get("/settings/conduct").status_code == 302
