# SPDX-License-Identifier: Apache-2.0
"""The sign-in link works once, for a while, for the demonstration's person."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.core import signing
from django.test import Client

from registry.accounts import services as accounts
from registry.accounts.models import User
from registry.site import services
from registry.site.errors import TicketRefused


@pytest.fixture
def person(db: None) -> User:
    return accounts.create_user("demo")


def path_of(link: str) -> str:
    assert link.startswith(f"{settings.PUBLIC_URL}/welcome/")
    return link.removeprefix(settings.PUBLIC_URL)


def test_the_link_signs_the_person_in(person: User) -> None:
    client = Client()
    answer = client.get(path_of(services.welcome_link()))
    assert answer.headers["Location"] == "/"
    assert client.session["_auth_user_id"] == str(person.pk)


def test_the_link_signs_nobody_else_in_afterwards(person: User) -> None:
    path = path_of(services.welcome_link())
    Client().get(path)
    other = Client()
    answer = other.get(path)
    assert answer.status_code == 403
    assert "This link opens nothing any more" in answer.content.decode()
    assert "_auth_user_id" not in other.session


def test_looking_at_the_link_does_not_use_it_up(person: User) -> None:
    path = path_of(services.welcome_link())
    assert Client().head(path).status_code == 405
    assert Client().get(path).status_code == 302


def test_pressing_it_twice_in_one_browser_does_no_harm(person: User) -> None:
    client = Client()
    path = path_of(services.welcome_link())
    client.get(path)
    assert client.get(path).headers["Location"] == "/"


def test_a_changed_link_is_refused(person: User) -> None:
    path = path_of(services.welcome_link())
    assert Client().get(f"{path[:-3]}abc").status_code == 403


def test_an_old_link_is_refused(person: User, monkeypatch: pytest.MonkeyPatch) -> None:
    signer = signing.TimestampSigner(salt=services.SALT)
    long_ago = datetime(2020, 1, 1, tzinfo=UTC).timestamp()
    monkeypatch.setattr(signer, "timestamp", lambda: signing.b62_encode(int(long_ago)))
    ticket = signer.sign_object({"name": "demo", "last_login": ""})
    with pytest.raises(TicketRefused, match="whole and not expired"):
        services.redeem(ticket)


def test_a_password_sign_in_voids_the_link(person: User) -> None:
    ticket = services.welcome_link().rpartition("/")[2]
    Client().force_login(person)  # moves the time of the last sign-in, as a password does
    with pytest.raises(TicketRefused, match="not used yet"):
        services.redeem(ticket)


def test_of_two_who_press_it_at_the_same_moment_one_is_signed_in(person: User) -> None:
    ticket = services.welcome_link().rpartition("/")[2]
    services.redeem(ticket)
    person.refresh_from_db()
    assert person.last_login is not None
    assert not services._mark(User(pk=person.pk, last_login=None))


def test_without_the_demonstration_there_is_no_link(db: None) -> None:
    with pytest.raises(TicketRefused, match=r"manage\.py demo"):
        services.welcome_link()
