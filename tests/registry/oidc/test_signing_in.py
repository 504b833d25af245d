# SPDX-License-Identifier: Apache-2.0
"""Signing in by a provider: whoever is known, once, in the browser that began it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from registry.accounts.models import User
from registry.audit.models import AuditRow
from registry.oidc import services
from registry.oidc.errors import IdentityTaken
from registry.oidc.models import Identity
from registry.oidc.signing_in import Known
from tests.issuer import CLIENT_ID, Issuer
from tests.registry.oidc.conftest import Write
from tests.registry.people import People

BEGIN, CALLBACK = "/auth/sign-in/example", "/auth/callback/example"


def known(issuer: Issuer, subject: str = "248289761001") -> Known:
    return Known(provider="example", issuer=issuer.url, subject=subject)


def callback(client: Client, issuer: Issuer, begin: str = BEGIN, *, post: bool = False) -> str:
    """The address that the browser is sent back to, once the person agreed."""
    answer = client.post(begin) if post else client.get(begin)
    assert answer.status_code == 302, answer.content
    return issuer.sign_in(answer["Location"]).removeprefix("http://localhost:8000")


def who(client: Client) -> str:
    user = client.session.get("_auth_user_id")
    return User.objects.get(pk=user).username if user else "nobody"


@pytest.fixture
def alice(believed: Issuer, people: People) -> Issuer:
    """Alice's account is linked to who she is at the issuer."""
    services.link(people.alice, known(believed))
    return believed


def test_a_known_person_is_signed_in_and_sent_on(alice: Issuer, client: Client) -> None:
    answer = client.get(callback(client, alice, f"{BEGIN}?next=/projects"))
    assert (answer.status_code, answer["Location"], who(client)) == (302, "/projects", "alice")


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:1"])
def test_nobody_is_sent_elsewhere(alice: Issuer, client: Client, elsewhere: str) -> None:
    answer = client.get(callback(client, alice, f"{BEGIN}?next={elsewhere}"))
    assert answer["Location"] == "/"


def refused(client: Client, address: str) -> str:
    answer = client.get(address, headers={"Accept": "application/json"})
    assert answer.status_code in {401, 403, 503}
    assert who(client) == "nobody"
    return str(answer.json()["detail"])


def test_an_answer_counts_once(alice: Issuer, client: Client) -> None:
    address = callback(client, alice)
    assert client.get(address).status_code == 302
    client.logout()
    assert "this browser began" in refused(client, address)


def test_another_browsers_answer_is_refused(alice: Issuer, client: Client) -> None:
    assert "this browser began" in refused(client, callback(Client(), alice))
    client.get(BEGIN)
    assert "this browser began" in refused(client, callback(Client(), alice))


def test_a_refusal_of_the_provider_is_told(alice: Issuer, client: Client) -> None:
    state = parse_qs(urlsplit(client.get(BEGIN)["Location"]).query)["state"][0]
    assert "access_denied" in refused(client, f"{CALLBACK}?error=access_denied&state={state}")


@pytest.mark.parametrize("claims", [{"nonce": "another"}, {"aud": "another"}, {"nonce": None}])
def test_a_token_for_something_else_is_refused(
    alice: Issuer, client: Client, claims: dict[str, str]
) -> None:
    alice.person = {**alice.person, **claims}
    assert "expected" in refused(client, callback(client, alice))


def test_a_code_that_the_provider_does_not_know_is_refused(alice: Issuer, client: Client) -> None:
    address = callback(client, alice)
    alice.codes.clear()
    assert "expected 200" in refused(client, address)


def test_a_stranger_is_not_let_in(believed: Issuer, client: Client, people: People) -> None:
    assert "known here" in refused(client, callback(client, believed))


def test_whoever_was_locked_out_stays_out(alice: Issuer, client: Client, people: People) -> None:
    people.alice.is_active = False
    people.alice.save()
    assert "may not" in refused(client, callback(client, alice))


def test_a_person_links_a_provider_to_their_account(
    believed: Issuer, client: Client, people: People
) -> None:
    client.force_login(people.bob)
    page = client.get(BEGIN)
    assert "Example" in page.content.decode()
    assert f"form-action 'self' {believed.url}" in page["Content-Security-Policy"]
    assert client.get(callback(client, believed, post=True)).status_code == 302
    assert services.person(known(believed)) == people.bob
    assert AuditRow.objects.get(action="identity.link").actor == "user:bob"


def test_nobody_is_two_people(alice: Issuer, client: Client, people: People) -> None:
    client.force_login(people.bob)
    answer = client.get(callback(client, alice, post=True), headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (409, "identity-taken")
    with pytest.raises(IdentityTaken):
        services.link(people.bob, known(alice))
    services.link(people.alice, known(alice))
    assert Identity.objects.count() == 1


@pytest.fixture
def open_(believed: Issuer, write: Write, secret_file: str) -> Issuer:
    """The same provider, by which anybody may join."""
    write(
        {
            "name": "example",
            "issuer": believed.url,
            "uses": ["sign-in"],
            "client_id": CLIENT_ID,
            "client_secret_file": secret_file,
            "admits": "anyone",
        }
    )
    return believed


def test_a_stranger_chooses_a_name_for_ever(open_: Issuer, client: Client, people: People) -> None:
    answer = client.get(callback(client, open_, f"{BEGIN}?next=/projects"))
    assert answer["Location"] == "/auth/name"
    assert "for ever" in client.get("/auth/name").content.decode()
    for taken in ("alice", "UPPER", "admin"):
        page = client.post("/auth/name", {"name": taken})
        assert page.status_code in {409, 422}
        assert 'role="alert"' in page.content.decode()
    answer = client.post("/auth/name", {"name": "dora"})
    assert (answer["Location"], who(client)) == ("/projects", "dora")
    assert not User.objects.get(username="dora").has_usable_password()
    assert client.post("/auth/name", {"name": "dora2"}).status_code == 403


def test_a_name_is_nobodys_without_a_sign_in(client: Client, people: People) -> None:
    assert client.get("/auth/name").status_code == 403


def test_a_provider_without_id_tokens_is_asked_who_it_is(
    believed: Issuer, write: Write, client: Client, people: People, secret_file: str
) -> None:
    write(
        {
            "preset": "github",
            "name": "example",
            "client_id": CLIENT_ID,
            "client_secret_file": secret_file,
            "endpoints": {
                "authorization": f"{believed.url}/authorize",
                "token": f"{believed.url}/token",
                "user": f"{believed.url}/user",
                "subject": "id",
            },
        }
    )
    github = "https://github.com/login/oauth"
    services.link(people.alice, Known(provider="example", issuer=github, subject="583231"))
    believed.answers["/user"] = (200, b'{"id":583231,"login":"alice"}')
    assert client.get(callback(client, believed)).status_code == 302
    assert who(client) == "alice"
    client.logout()
    believed.answers["/user"] = (200, b'{"login":"alice"}')
    assert "to say who" in refused(client, callback(client, believed))


def test_an_unknown_provider_is_refused(believed: Issuer, client: Client, people: People) -> None:
    answer = client.get("/auth/sign-in/other", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (403, "sign-in-refused")


def test_a_subject_that_is_too_long_is_refused(
    alice: Issuer, client: Client, people: People
) -> None:
    alice.person = {"sub": "x" * 256}
    assert "255 characters" in refused(client, callback(client, alice))


def test_the_sign_in_page_names_the_providers(believed: Issuer, client: Client) -> None:
    page = client.get("/login?next=/projects").content.decode()
    assert 'href="/auth/sign-in/example?next=/projects"' in page
    assert "Sign in by Example" in page
