# SPDX-License-Identifier: Apache-2.0
"""One's own tokens over HTTP: issued in a browser only, seen without secret, revoked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from registry.accounts import services
from registry.accounts.models import Scope, Token
from registry.accounts.services import Binding
from registry.audit.models import AuditRow
from tests.registry.people import People, client_of, secret_of

URL = "/api/v1/tokens"


def browser(people: People, name: str = "alice", *, csrf: bool = False) -> APIClient:
    client = APIClient(enforce_csrf_checks=csrf)
    client.force_login(getattr(people, name))
    return client


def test_a_person_issues_sees_and_revokes(people: People) -> None:
    alice = browser(people)
    issued = alice.post(URL, {"label": "laptop", "scopes": ["publish", "read"], "days": 7})
    assert issued.status_code == 201
    secret = issued.json()["secret"]
    (listed,) = alice.get(URL).json()["results"]
    assert (listed["label"], listed["scopes"]) == ("laptop", ["publish", "read"])
    assert "secret" not in listed
    assert "sha256" not in listed
    assert alice.delete(f"{URL}/{listed['id']}").status_code == 204
    answer = APIClient().get(URL, headers={"Authorization": f"Bearer {secret}"})
    assert (answer.status_code, answer.json()["code"]) == (401, "token-revoked")


def test_a_token_issues_no_tokens(people: People) -> None:
    client = client_of(people.alice, "publish", "read")
    answer = client.post(URL, {"label": "x", "scopes": ["read"]})
    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")
    assert Token.objects.count() == 1


def test_a_form_on_another_site_issues_no_tokens(people: People) -> None:
    answer = browser(people, csrf=True).post(URL, {"label": "x", "scopes": ["read"]})
    assert answer.status_code == 403
    assert "CSRF" in answer.json()["detail"]
    assert not Token.objects.exists()


def test_only_an_operator_issues_tokens_for_generation(people: People) -> None:
    wanted = {"label": "gpu", "scopes": ["generation"]}
    answer = browser(people).post(URL, wanted)
    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")
    people.alice.is_staff = True
    people.alice.save()
    assert browser(people).post(URL, wanted).status_code == 201


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scopes": ["read"]}, "label"),
        ({"label": "x", "scopes": []}, "scopes"),
        ({"label": "x", "scopes": ["root"]}, "scopes.0"),
        ({"label": "x", "scopes": ["read"], "days": 367}, "days"),
        ({"label": "x" * 81, "scopes": ["read"]}, "label"),
    ],
)
def test_what_is_wrong_is_named_by_field(body: object, field: str, people: People) -> None:
    answer = browser(people).post(URL, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not Token.objects.exists()


def test_a_publishers_token_ends_itself_in_its_own_name(people: People) -> None:
    in_an_hour = timezone.now() + timedelta(hours=1)
    binding = Binding(project="alice/small", holder="publisher:7")
    token, secret = services.issue_token(
        people.alice, "ci", [Scope.PUBLISH], in_an_hour, binding=binding
    )
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert client.delete(f"{URL}/{token.pk}").status_code == 204
    assert AuditRow.objects.get(action="token.revoke").actor == "publisher:7"


def test_a_stranger_revokes_nothing(people: People) -> None:
    secret_of(people.alice, "read")
    token = Token.objects.get()
    assert browser(people, "charlie").delete(f"{URL}/{token.pk}").status_code == 404
    token.refresh_from_db()
    assert token.revoked_at is None


def test_whoever_finds_a_token_can_end_it_but_no_other(people: People) -> None:
    first, second = client_of(people.alice, "read"), client_of(people.alice, "read")
    one, two = Token.objects.order_by("pk")
    assert first.delete(f"{URL}/{two.pk}").status_code == 404
    assert first.delete(f"{URL}/{one.pk}").status_code == 204
    assert second.delete(f"{URL}/{two.pk}").status_code == 204
    assert first.delete(f"{URL}/{one.pk}").json()["code"] == "token-revoked"
