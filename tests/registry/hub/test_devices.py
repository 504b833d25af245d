# SPDX-License-Identifier: Apache-2.0
"""A program is logged in by a browser: once, for a while, and by nobody but who says so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from registry.accounts import tokens
from registry.accounts.models import Token
from registry.accounts.tokens import MAX_LIVE_TOKENS, issue_token
from registry.api.problems import NotFound
from registry.audit.models import AuditRow
from registry.hub import devices
from registry.hub.devices import GRANT
from registry.hub.models import DeviceLogin
from tests.registry.people import People, client_of

pytestmark = pytest.mark.django_db

NOW = timezone.now()
LATER = NOW + timedelta(seconds=10)


def asked(client: Client) -> dict[str, str]:
    answer = client.post("/oauth/device", {"client_id": "any"})
    assert (answer.status_code, answer.headers["Cache-Control"].split(",")[0]) == (200, "max-age=0")
    found: dict[str, str] = answer.json()
    return found


def polled(client: Client, device_code: str, grant: str = GRANT) -> tuple[int, dict[str, str]]:
    body = {"grant_type": grant, "device_code": device_code, "client_id": "any"}
    answer = client.post("/oauth/token", body)
    return answer.status_code, answer.json()


def test_a_person_allows_it_at_a_browser_and_it_gets_one_token(
    people: People, client: Client
) -> None:
    program = asked(client)
    assert polled(client, program["device_code"]) == (400, {"error": "authorization_pending"})
    path = program["verification_uri_complete"].removeprefix("http://testserver")
    assert client.get(path)["Location"].startswith("/login?next=/oauth/activate")
    client.force_login(people.alice)
    page = client.get(path).content.decode()
    assert program["user_code"] in page
    assert "refuse: they would act as you" in page
    done = client.post("/oauth/activate", {"code": program["user_code"], "decision": "allow"})
    assert "It may act for you now" in done.content.decode()
    status, said = polled(client, program["device_code"])
    assert (status, said["token_type"]) == (200, "bearer")
    token = tokens.authenticate(f"Bearer {said['access_token']}", now=timezone.now())
    assert token is not None
    assert (token.user, set(token.scopes)) == (people.alice, {"read", "publish"})
    assert polled(client, program["device_code"]) == (400, {"error": "invalid_grant"})
    assert Token.objects.count() == 1
    assert AuditRow.objects.filter(action="device.allow", subject="alice").count() == 1


def test_a_refused_one_gets_nothing(people: People, client: Client) -> None:
    program = asked(client)
    client.force_login(people.alice)
    done = client.post("/oauth/activate", {"code": program["user_code"], "decision": "no"})
    assert "It was refused" in done.content.decode()
    assert polled(client, program["device_code"]) == (400, {"error": "access_denied"})
    again = client.post("/oauth/activate", {"code": program["user_code"], "decision": "allow"})
    assert (again.status_code, Token.objects.count()) == (404, 0)


def test_a_code_is_decided_once_and_typed_as_people_type(people: People) -> None:
    begun = devices.begin(now=NOW)
    typed = begun.user_code.lower().replace("-", " ")
    devices.decide(typed, people.alice, is_allowed=True, now=LATER)
    with pytest.raises(NotFound, match="expected the code of a program that waits"):
        devices.decide(typed, people.charlie, is_allowed=True, now=LATER)
    assert DeviceLogin.objects.get().person == people.alice


def test_what_is_over_is_over(people: People) -> None:
    begun = devices.begin(now=NOW)
    over = NOW + devices.GOOD_FOR
    with pytest.raises(NotFound):
        devices.decide(begun.user_code, people.alice, is_allowed=True, now=over)
    assert devices.collect(begun.device_code, now=over) == "expired_token"
    devices.begin(now=over + devices.GOOD_FOR + timedelta(seconds=1))
    assert devices.collect(begun.device_code, now=over) == "invalid_grant"


def test_a_program_that_asks_too_often_is_told_to_wait(db: None) -> None:
    begun = devices.begin(now=NOW)
    said = [devices.collect(begun.device_code, now=NOW + timedelta(seconds=s)) for s in (0, 1, 6)]
    assert said == ["authorization_pending", "slow_down", "authorization_pending"]


def test_who_left_allows_nothing(people: People) -> None:
    begun, other = devices.begin(now=NOW), devices.begin(now=NOW)
    devices.decide(begun.user_code, people.bob, is_allowed=True, now=LATER)
    people.bob.is_active = False
    people.bob.save()
    assert devices.collect(begun.device_code, now=LATER) == "access_denied"
    with pytest.raises(NotFound, match="expected somebody who is here"):
        devices.decide(other.user_code, people.bob, is_allowed=True, now=LATER)


def test_what_somebody_allowed_is_forgotten_with_them(people: People) -> None:
    begun = devices.begin(now=NOW)
    devices.decide(begun.user_code, people.bob, is_allowed=True, now=LATER)
    devices.forget(people.bob)
    assert not DeviceLogin.objects.exists()


def test_only_the_digest_of_the_secret_is_kept(db: None) -> None:
    begun = devices.begin(now=NOW)
    row = DeviceLogin.objects.get()
    assert begun.device_code not in (row.device_sha256, row.user_code)


def test_a_token_that_nobody_may_have_is_refused_where_clients_read_it(
    people: People, client: Client
) -> None:
    for number in range(MAX_LIVE_TOKENS):
        issue_token(people.alice, f"{number}", ("read",), NOW + timedelta(days=1))
    program = asked(client)
    devices.decide(program["user_code"], people.alice, is_allowed=True, now=timezone.now())
    status, said = polled(client, program["device_code"])
    assert (status, said["error"]) == (400, "too-many-tokens")
    assert "live tokens" in said["error_description"]


@pytest.mark.parametrize("grant", ["refresh_token", "password", ""])
def test_no_other_grant_is_taken(client: Client, grant: str) -> None:
    assert polled(client, "x", grant) == (400, {"error": "unsupported_grant_type"})


def test_a_code_that_nobody_shows_is_said_to_be_none(people: People, client: Client) -> None:
    client.force_login(people.alice)
    for typed in ("", "x", "BCDF-GHJK", "B" * 500, "<b>"):
        page = client.get("/oauth/activate", {"code": typed})
        assert page.status_code == 200
        assert "It is mine" not in page.content.decode()
    assert client.post("/oauth/activate", {"code": "x", "decision": "allow"}).status_code == 404


def test_a_token_allows_no_program(people: People) -> None:
    now = timezone.now()  # not when this was imported: by the clock its code must count still
    begun = devices.begin(now=now)
    program = client_of(people.alice, "read", "publish")
    body = {"code": begun.user_code, "decision": "allow"}
    assert program.post("/oauth/activate", body, format="multipart").status_code in {302, 403}
    assert devices.waiting(begun.user_code, now=now) is not None


def test_one_address_begins_so_many_and_no_more(client: Client) -> None:
    answers = [client.post("/oauth/device", REMOTE_ADDR="192.0.2.9") for _ in range(31)]
    assert [answer.status_code for answer in answers] == [200] * 30 + [429]
