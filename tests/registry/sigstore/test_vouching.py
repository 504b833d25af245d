# SPDX-License-Identifier: Apache-2.0
"""The registry vouches for its own people, to programs of theirs, each time that they agree."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from django.utils import timezone
from joserfc import jwt
from joserfc.jwk import KeySet

from assay.signing.sigstore.certificate import Identity, verify_identity
from registry.audit.models import AuditRow
from registry.conduct import services as conduct
from registry.sigstore import tasks, vouching
from registry.sigstore.models import Code
from tests.registry.conduct.published import first_version
from tests.registry.people import People, invite
from tests.registry.sigstore.asking import CERTIFICATES, certificates, csr, post
from tests.running import Authority

pytestmark = pytest.mark.django_db(transaction=True)
HERE = "http://localhost:8000"
VERIFIER = "a" * 43
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
)
CALLBACK = "http://localhost:49152/auth/callback"
QUERY = {
    "response_type": "code",
    "client_id": "sigstore",
    "redirect_uri": CALLBACK,
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
    "state": "s-1",
    "scope": "openid email",
}
BASIC = "Basic " + base64.b64encode(b"sigstore:").decode()


@pytest.fixture
def people(authority: Authority, transactional_db: None) -> People:
    """Alice may sign: she has accepted a conduct version."""
    found = invite()
    version = first_version()
    conduct.accept(version, found.alice.namespace, found.alice)
    return found


def ask(client: Client, **more: str | None) -> Any:  # noqa: ANN401 - a response
    query = {name: value for name, value in {**QUERY, **more}.items() if value is not None}
    return client.post(f"/auth/authorize?{urlencode(query)}", {"answer": "yes"})


def code_of(client: Client, **more: str | None) -> str:
    answer = ask(client, **more)
    assert answer.status_code == 302, answer.content
    query = parse_qs(urlsplit(answer["Location"]).query)
    assert (answer["Location"].partition("?")[0], query["state"]) == (CALLBACK, ["s-1"])
    code: str = query["code"][0]
    return code


def redeem(code: str, **more: str) -> Any:  # noqa: ANN401 - a response
    form = {
        "grant_type": "authorization_code",
        "redirect_uri": CALLBACK,
        "code": code,
        "code_verifier": VERIFIER,
        **more,
    }
    headers = {"Authorization": more.get("authorization", BASIC)}
    return Client().post("/auth/token", form, headers=headers)


def test_a_person_agrees_and_their_program_is_certified(people: People, client: Client) -> None:
    client.force_login(people.alice)
    page = client.get(f"/auth/authorize?{urlencode(QUERY)}")
    assert f"{HERE}/alice" in page.content.decode()
    assert "form-action 'self' http://localhost:49152" in page["Content-Security-Policy"]
    answer = redeem(code_of(client, nonce="n-1"))
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    token = answer.json()["id_token"]
    assert token == answer.json()["access_token"]
    keys = KeySet.import_key_set(client.get("/auth/keys").json())
    claims = jwt.decode(token, keys, algorithms=["ES256"]).claims
    assert (claims["sub"], claims["nonce"]) == (f"{HERE}/alice", "n-1")
    key = ec.generate_private_key(ec.SECP256R1())
    leaf, *_ = certificates(post(client, CERTIFICATES, csr(key), bearer=token))
    verify_identity(leaf, Identity(name=f"{HERE}/alice", issuer=HERE))
    assert AuditRow.objects.filter(action="identity.agree", actor="user:alice").count() == 1


def test_without_a_sign_in_nobody_agrees(people: People, client: Client) -> None:
    answer = ask(client)
    assert answer["Location"].startswith("/login?")
    assert Code.objects.count() == 0


def test_whoever_says_no_sends_no_code(people: People, client: Client) -> None:
    client.force_login(people.alice)
    answer = client.post(f"/auth/authorize?{urlencode(QUERY)}", {"answer": "no"})
    assert answer["Location"] == f"{CALLBACK}?error=access_denied&state=s-1"
    assert Code.objects.count() == 0


def test_a_code_may_be_copied(people: People, client: Client) -> None:
    client.force_login(people.alice)
    oob = "urn:ietf:wg:oauth:2.0:oob"
    assert client.get(f"/auth/authorize?{urlencode({**QUERY, 'redirect_uri': oob})}").status_code
    page = ask(client, redirect_uri=oob).content.decode()
    assert Code.objects.get().redirect_uri == oob
    assert "Your code" in page
    no = client.post(
        f"/auth/authorize?{urlencode({**QUERY, 'redirect_uri': oob})}", {"answer": "no"}
    )
    assert "Your code" not in no.content.decode()


WRONG: list[dict[str, str | None]] = [
    {"client_id": "other"},
    {"response_type": "token"},
    {"code_challenge_method": "plain"},
    {"code_challenge": "short"},
    {"redirect_uri": "https://evil.example/"},
    {"redirect_uri": "http://evil.example/"},
    {"redirect_uri": "http://localhost:1/?x=1"},
    {"redirect_uri": "http://user@localhost:1/"},
    {"redirect_uri": None},
    {"state": "x" * 600},
]


@pytest.mark.parametrize("more", WRONG)
def test_a_program_that_cannot_be_answered_gets_no_code(
    people: People, client: Client, more: dict[str, str | None]
) -> None:
    client.force_login(people.alice)
    answer = ask(client, **more)
    assert answer.status_code == 400
    assert Code.objects.count() == 0


def test_a_code_is_good_once(people: People, client: Client) -> None:
    client.force_login(people.alice)
    code = code_of(client)
    assert redeem(code).status_code == 200
    answer = redeem(code)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    "more",
    [
        {"code_verifier": "b" * 43},
        {"code_verifier": "short"},
        {"redirect_uri": "http://localhost:1/"},
        {"grant_type": "password"},
        {"authorization": "Basic !!"},
        {"authorization": "Basic " + base64.b64encode(b"other:").decode()},
        {"authorization": "", "client_id": "other"},
    ],
)
def test_a_code_is_good_for_its_program_alone(
    people: People, client: Client, more: dict[str, str]
) -> None:
    client.force_login(people.alice)
    assert redeem(code_of(client), **more).json()["error"] == "invalid_grant"


def test_a_program_may_name_itself_in_the_form(people: People, client: Client) -> None:
    client.force_login(people.alice)
    code = code_of(client)
    assert redeem(code, authorization="", client_id="sigstore").status_code == 200


def test_an_old_code_is_good_for_nothing_and_is_forgotten(people: People, client: Client) -> None:
    client.force_login(people.alice)
    code = code_of(client)
    Code.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert redeem(code).status_code == 400
    tasks.sweep()
    assert Code.objects.count() == 0


def test_whoever_is_locked_out_is_vouched_for_no_more(people: People, client: Client) -> None:
    client.force_login(people.alice)
    code, later = code_of(client), code_of(client)
    token = redeem(code).json()["id_token"]
    people.alice.is_active = False
    people.alice.save()
    assert redeem(later).status_code == 400
    key = ec.generate_private_key(ec.SECP256R1())
    answer = post(client, CERTIFICATES, csr(key), bearer=token)
    assert (answer.status_code, answer.json()["code"]) == (401, "identity-token-refused")
    assert json.loads(answer.content)["message"]


def test_the_configuration_says_where_all_this_is(people: People, client: Client) -> None:
    found = client.get("/.well-known/openid-configuration").json()
    assert found["issuer"] == HERE
    assert found["authorization_endpoint"] == f"{HERE}/auth/authorize"
    assert found["token_endpoint"] == f"{HERE}/auth/token"
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert vouching.CLIENT_ID == "sigstore"
