# SPDX-License-Identifier: Apache-2.0
"""A provider is linked to the person who asked for it, soon, and to nobody else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from registry.oidc import signing_in
from registry.oidc.errors import SignInRefused
from registry.oidc.models import Identity
from registry.oidc.pages import BEGUN
from registry.oidc.signing_in import BEGUN_FOR, NOBODY, Begun
from tests.issuer import Issuer
from tests.registry.people import People

BEGIN = "/auth/sign-in/example"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PASSWORD = "correct horse battery staple"


def sign_in_by_password(client: Client, people: People, name: str) -> None:
    person = getattr(people, name)
    person.set_password(PASSWORD)
    person.save()
    answer = client.post("/login", {"username": name, "password": PASSWORD})
    assert answer.status_code == 302, answer.content


def answered(client: Client, issuer: Issuer, address: str) -> str:
    """Where the browser is sent, or why it is refused, once the person at the provider agreed."""
    back = issuer.sign_in(address).removeprefix("http://localhost:8000")
    answer = client.get(back, headers={"Accept": "application/json"})
    return answer["Location"] if answer.status_code == 302 else answer.json()["detail"]


def test_what_a_stranger_began_is_not_linked_to_who_signs_in_next(
    believed: Issuer, client: Client, people: People
) -> None:
    begun_by_a_stranger = client.get(BEGIN)["Location"]
    sign_in_by_password(client, people, "bob")
    assert BEGUN in client.session  # Django keeps an anonymous session's data
    assert "whoever began" in answered(client, believed, begun_by_a_stranger)
    assert not Identity.objects.exists()


def test_what_one_person_asked_for_is_not_linked_to_another(
    believed: Issuer, client: Client, people: People
) -> None:
    client.force_login(people.alice)
    asked = client.post(BEGIN)["Location"]
    kept = client.session[BEGUN]
    client.force_login(people.bob)
    session = client.session
    session[BEGUN] = kept
    session.save()
    assert "whoever began" in answered(client, believed, asked)
    assert not Identity.objects.exists()


def test_what_was_asked_for_does_not_sign_anybody_in(
    believed: Issuer, client: Client, people: People
) -> None:
    client.force_login(people.alice)
    asked = client.post(BEGIN)["Location"]
    session = client.session
    del session["_auth_user_id"]
    session.save()
    assert "whoever began" in answered(client, believed, asked)


def test_a_session_of_another_form_is_as_good_as_none(
    believed: Issuer, client: Client, people: People
) -> None:
    asked = client.get(BEGIN)["Location"]
    session = client.session
    del session[BEGUN]["until"]  # as it was kept once
    session.save()
    assert "found none" in answered(client, believed, asked)


@pytest.mark.parametrize(("late", "message"), [(-1, "expected a code"), (0, "0:10:00")])
def test_what_is_begun_ends_after_ten_minutes(believed: Issuer, late: int, message: str) -> None:
    provider = signing_in.provider_named("example")
    begun = Begun.new(provider, next_path="/", linked_to=NOBODY, now=NOW)
    now = NOW + BEGUN_FOR + timedelta(seconds=late)
    with pytest.raises(SignInRefused, match=message):
        signing_in.finish(begun, {"state": begun.state}, now=now)
