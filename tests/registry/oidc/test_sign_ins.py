# SPDX-License-Identifier: Apache-2.0
"""A person sees how they sign in, adds a provider, takes one away, and is never locked out."""

from __future__ import annotations

from html import unescape

import pytest
from django.test import Client

from registry.audit.models import AuditRow
from registry.oidc import queries, services
from registry.oidc.models import Identity
from registry.oidc.signing_in import Known
from tests.issuer import Issuer
from tests.registry.oidc.conftest import Write
from tests.registry.people import People

PAGE = "/settings/sign-ins"


def link(people: People, issuer: Issuer, subject: str = "248289761001") -> Identity:
    services.link(people.alice, Known(provider="example", issuer=issuer.url, subject=subject))
    return queries.identities_of(people.alice).latest("id")


@pytest.fixture
def alice(people: People) -> Client:
    client = Client()
    client.force_login(people.alice)
    return client


def page(client: Client) -> str:
    answer = client.get(PAGE)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def remove(client: Client, identity: Identity) -> int:
    return client.post(f"{PAGE}/{identity.pk}/remove").status_code


def test_who_is_not_signed_in_is_asked_to(people: People, client: Client) -> None:
    answer = client.get(PAGE)
    assert (answer.status_code, answer["Location"]) == (302, f"/login?next={PAGE}")


def test_what_is_linked_is_shown_and_what_could_be_is_offered(
    believed: Issuer, people: People, alice: Client
) -> None:
    assert f"/auth/sign-in/example?next={PAGE}" in page(alice)
    link(people, believed)
    text = page(alice)
    assert "248289761001" in text
    assert believed.url in text
    assert "/auth/sign-in/example" not in text


def test_one_of_two_can_be_removed_and_is_audited(
    believed: Issuer, people: People, alice: Client
) -> None:
    first, second = link(people, believed), link(people, believed, "another")
    assert remove(alice, first) == 302
    assert list(queries.identities_of(people.alice)) == [second]
    row = AuditRow.objects.latest("id")
    assert (row.action, row.actor) == ("identity.unlink", people.alice.actor)
    assert remove(alice, first) == 404


def test_the_last_way_in_stays_unless_there_is_a_password(
    believed: Issuer, people: People, alice: Client
) -> None:
    identity = link(people, believed)
    answer = alice.post(f"{PAGE}/{identity.pk}/remove")
    assert answer.status_code == 409
    assert "expected another way to sign in, found neither" in unescape(answer.content.decode())
    people.alice.set_password("a password of hers")
    people.alice.save()
    alice.force_login(people.alice)
    assert remove(alice, identity) == 302


def test_a_provider_that_is_believed_no_more_is_no_way_in(
    believed: Issuer, people: People, alice: Client, write: Write
) -> None:
    identity = link(people, believed)
    services.link(people.alice, Known(provider="old", issuer="https://old.example", subject="1"))
    assert "lets nobody sign in by it any more" in page(alice)
    assert remove(alice, identity) == 409


def test_nobody_removes_anothers(believed: Issuer, people: People) -> None:
    identity = link(people, believed)
    charlie = Client()
    charlie.force_login(people.charlie)
    assert remove(charlie, identity) == 404
    assert remove(Client(), identity) == 302  # to sign in
    assert queries.identities_of(people.alice).get() == identity
