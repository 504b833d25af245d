# SPDX-License-Identifier: Apache-2.0
"""What one stores: seen by a person on their settings, by a program, and set by an operator."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from registry.accounts import queries, services
from registry.accounts.services import Binding
from registry.audit.models import AuditRow
from registry.storage import quotas
from tests.registry.people import People, client_of

WHOAMI = "/api/v1/whoami"


def quota(*words: str) -> str:
    out = io.StringIO()
    call_command("accounts", "quota", *words, stdout=out)
    return out.getvalue().strip()


def test_an_operator_says_how_much_may_be_stored(people: People) -> None:
    assert quota("alice", "--bytes", "20G") == f"alice: 0 of {20 << 30} bytes"
    assert quota("lab", "--bytes", "0") == "lab: 0 of 0 bytes"
    assert quota("alice") == f"alice: 0 of {20 << 30} bytes"
    assert quotas.use_of("organisation:lab").allowed_bytes == 0
    assert quota("lab", "--default") == f"lab: 0 of {100 << 30} bytes"
    row = AuditRow.objects.filter(action="storage.quota").first()
    assert row is not None
    assert (row.actor, row.subject, row.details) == ("system", "alice", {"allowed_bytes": 20 << 30})


@pytest.mark.parametrize(
    ("words", "said"),
    [(("nobody",), "found 'nobody'"), (("alice", "--bytes", "lots"), "found 'lots'")],
)
def test_what_cannot_be_set_is_said(people: People, words: tuple[str, ...], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        quota(*words)


def test_a_program_is_told_who_it_is_and_what_is_stored(people: People) -> None:
    quota("lab", "--bytes", "7")
    answer = client_of(people.alice, "read").get(WHOAMI)
    (token,) = queries.tokens_of(people.alice)
    assert answer.json() == {
        "actor": "user:alice",
        "scopes": ["read"],
        "project": "",
        "projects": [],
        "token": token.pk,
        "expires_at": token.expires_at.isoformat().replace("+00:00", "Z"),
        "storage": [
            {"name": "alice", "used_bytes": 0, "allowed_bytes": 100 << 30},
            {"name": "lab", "used_bytes": 0, "allowed_bytes": 7},
        ],
    }


def test_a_projects_token_is_told_of_nobody_but_itself(people: People) -> None:
    soon = timezone.now() + timedelta(minutes=5)
    bound = Binding(project="lab/model", holder="publisher:1")
    _, secret = services.issue_token(people.alice, "ci", ["publish"], soon, binding=bound)
    answer = Client().get(WHOAMI, headers={"Authorization": f"Bearer {secret}"}).json()
    assert (answer["actor"], answer["project"]) == ("publisher:1", "lab/model")
    assert [use["name"] for use in answer["storage"]] == ["publisher:1"]


def test_a_session_has_no_token_and_no_end(people: People) -> None:
    browser = Client()
    browser.force_login(people.alice)
    answer = browser.get(WHOAMI).json()
    assert (answer["actor"], answer["token"], answer["expires_at"]) == ("user:alice", None, None)


def test_nobody_is_nobody(db: None) -> None:
    assert Client().get(WHOAMI).status_code == 401


def test_a_person_sees_it_on_their_settings(people: People) -> None:
    quota("lab", "--bytes", "2048")
    browser = Client()
    browser.force_login(people.alice)
    page = browser.get("/settings").content.decode()
    assert "What you store" in page
    assert "2.0 kB" in page


def test_a_name_is_a_persons_or_an_organisations(people: People) -> None:
    found = [queries.namespace(name) for name in ("alice", "lab")]
    assert [queries.holder(each) for each in found if each] == ["user:alice", "organisation:lab"]
