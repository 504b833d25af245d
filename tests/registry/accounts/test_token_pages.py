# SPDX-License-Identifier: Apache-2.0
"""The page of one's own tokens: issued with the secret shown once, seen, revoked, by a session."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from registry.accounts import services
from registry.accounts.models import Scope, Token
from tests.registry.people import People, client_of

PAGE = "/settings/tokens"
WANTED = {"label": "laptop", "scopes": ["publish", "read"], "days": "7"}


def browser(people: People, name: str = "alice", *, csrf: bool = False) -> Client:
    client = Client(enforce_csrf_checks=csrf)
    client.force_login(getattr(people, name))
    return client


def issued(people: People, label: str = "laptop") -> Token:
    at = timezone.now() + timedelta(days=1)
    return services.issue_token(people.alice, label, [Scope.READ], at)[0]


def test_the_secret_is_shown_once_and_opens(people: People) -> None:
    alice = browser(people)
    answer = alice.post(PAGE, WANTED)
    assert (answer.status_code, answer["Cache-Control"].count("no-store")) == (201, 1)
    (secret,) = set(re.findall(r"assay_[0-9A-Za-z]{38}", answer.content.decode()))
    seen = Client().get("/api/v1/whoami", headers={"Authorization": f"Bearer {secret}"}).json()
    assert (seen["actor"], sorted(seen["scopes"])) == ("user:alice", ["publish", "read"])
    again = alice.get(PAGE).content.decode()
    assert ("laptop" in again, "assay_" in again) == (True, False)


def test_a_token_is_revoked_by_a_press(people: People) -> None:
    token, alice = issued(people), browser(people)
    answer = alice.post(f"{PAGE}/{token.pk}/revoke", follow=True)
    token.refresh_from_db()
    assert token.revoked_at is not None
    assert "It opens nothing any more." in answer.content.decode()
    assert "No program acts for you." in answer.content.decode()


def test_nobody_sees_or_revokes_anothers(people: People) -> None:
    token, bob = issued(people, "alice's laptop"), browser(people, "bob")
    assert "laptop" not in bob.get(PAGE).content.decode()
    assert bob.post(f"{PAGE}/{token.pk}/revoke").status_code == 404
    token.refresh_from_db()
    assert token.revoked_at is None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"label": ""}, "This field is required."),
        ({"label": " "}, "This field is required."),
        ({"scopes": []}, "Choose at least one."),
        ({"scopes": ["generation"]}, "Select a valid choice."),
        ({"days": "367"}, "less than or equal to 366"),
        ({"days": "0"}, "greater than or equal to 1"),
    ],
)
def test_a_form_filled_wrongly_says_so_and_issues_nothing(
    people: People, changed: dict[str, object], said: str
) -> None:
    answer = browser(people).post(PAGE, WANTED | changed)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not Token.objects.exists()


def test_the_last_place_taken_is_said_on_the_page(people: People) -> None:
    for number in range(100):
        issued(people, f"number {number}")
    answer = browser(people).post(PAGE, WANTED)
    assert answer.status_code == 409
    assert "found 100; revoke one first" in answer.content.decode()


def test_only_a_session_comes_here(people: People) -> None:
    for client in (Client(), client_of(people.alice, "read")):
        answer = client.get(PAGE)
        assert (answer.status_code, answer["Location"]) == (302, f"/login?next={PAGE}")


def test_a_form_on_another_site_issues_nothing(people: People) -> None:
    assert browser(people, csrf=True).post(PAGE, WANTED).status_code == 403
    assert not Token.objects.exists()
