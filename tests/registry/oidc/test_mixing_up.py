# SPDX-License-Identifier: Apache-2.0
"""A dishonest provider that is listed gets nobody's code from an honest one (RFC 9700, 4.4)."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client

from registry.oidc import services
from registry.oidc.signing_in import SAYS_ISSUER, Known
from tests.issuer import CLIENT_ID, Issuer, running
from tests.registry.oidc.conftest import Write
from tests.registry.people import People

PUBLIC = "http://localhost:8000"
Pair = tuple[Issuer, Issuer]


@pytest.fixture
def two(issuer: Issuer, write: Write, secret_file: str, people: People) -> Iterator[Pair]:
    """Honest and evil, both listed; Alice signs in by the honest one."""
    with running() as evil:
        for_people = {
            "uses": ["sign-in"],
            "client_id": CLIENT_ID,
            "client_secret_file": secret_file,
        }
        write(
            {"name": "honest", "issuer": issuer.url, **for_people},
            {"name": "evil", "issuer": evil.url, **for_people},
        )
        known = Known(provider="honest", issuer=issuer.url, subject=issuer.person["sub"])
        services.link(people.alice, known)
        yield issuer, evil


def asked_by(client: Client, name: str) -> dict[str, str]:
    """What the registry asks a provider for."""
    address = client.get(f"/auth/sign-in/{name}")["Location"]
    return {key: values[0] for key, values in parse_qs(urlsplit(address).query).items()}


def finish(client: Client, address: str) -> tuple[int, str]:
    """The status of the answer, and who is signed in then."""
    answer = client.get(address.removeprefix(PUBLIC))
    return answer.status_code, client.session.get("_auth_user_id", "nobody")


def test_each_provider_has_a_return_address_of_its_own(two: Pair, client: Client) -> None:
    addresses = [asked_by(client, name)["redirect_uri"] for name in ("honest", "evil")]
    assert addresses == [f"{PUBLIC}/auth/callback/honest", f"{PUBLIC}/auth/callback/evil"]


def test_a_code_of_the_honest_one_never_reaches_the_evil_one(two: Pair, client: Client) -> None:
    honest, evil = two
    asked = asked_by(client, "evil")  # which sends the browser on, with all that is ours in it
    mixed = {**asked, "redirect_uri": asked["redirect_uri"].replace("evil", "honest")}
    address = honest.sign_in(f"{honest.url}/authorize?{urlencode(mixed)}")
    assert finish(client, address) == (403, "nobody")
    assert "/token" not in [*evil.asked, *honest.asked]


def test_an_answer_that_says_who_it_is_of_must_say_this_one(two: Pair, client: Client) -> None:
    honest, evil = two
    for said, status in ((evil.url, 403), (f"{honest.url}/", 403), ("", 403), (honest.url, 302)):
        address = honest.sign_in(client.get("/auth/sign-in/honest")["Location"])
        assert finish(client, f"{address}&{urlencode({'iss': said})}")[0] == status, said


def test_a_provider_that_promises_to_say_so_must(two: Pair, client: Client) -> None:
    honest, _ = two
    honest.promises[SAYS_ISSUER] = True
    address = honest.sign_in(client.get("/auth/sign-in/honest")["Location"])
    assert finish(client, address) == (403, "nobody")
    address = honest.sign_in(client.get("/auth/sign-in/honest")["Location"])
    assert finish(client, f"{address}&{urlencode({'iss': honest.url})}")[0] == 302
