# SPDX-License-Identifier: Apache-2.0
"""The people of an organisation, in a browser and by the API: seen by them, decided by owners."""

from __future__ import annotations

import pytest
from django.test import Client

from registry.accounts import queries
from registry.accounts.models import Role
from registry.audit.models import AuditRow
from tests.registry.people import People, browser, client_of, in_session

pytestmark = pytest.mark.django_db
PAGE, MINE = "/settings/organisations/lab", "/settings/organisations"
API = "/api/v1/organisations/lab/members"


def test_an_owner_admits_changes_and_removes(people: People) -> None:
    alice = browser(people.alice)
    for role in (Role.READER, Role.MEMBER, Role.OWNER):
        said = {"decision": "put", "person": "charlie", "role": role.value}
        assert alice.post(PAGE, said)["Location"] == PAGE
        assert queries.role_in(people.lab, people.charlie) == role
    assert "charlie" in alice.get(PAGE).content.decode()
    assert alice.post(PAGE, {"decision": "remove", "person": "charlie"})["Location"] == PAGE
    assert queries.role_in(people.lab, people.charlie) is None
    rows = AuditRow.objects.filter(details__user="charlie").order_by("pk")
    assert [each.action for each in rows] == ["organisation.member"] * 3 + ["organisation.leave"]


def test_what_is_wrong_is_said_on_the_page(people: People) -> None:
    alice = browser(people.alice)
    for said, status, words in (
        ({"decision": "put", "person": "nobody", "role": "member"}, 404, "the name of a person"),
        ({"decision": "put", "person": "charlie", "role": "king"}, 403, "expected one of owner"),
        ({"decision": "remove", "person": "charlie"}, 404, "expected somebody of lab"),
        ({"decision": "leave"}, 409, "alice is the only owner; name another one first"),
        ({"decision": "put", "person": "alice", "role": "reader"}, 409, "is the only owner"),
        ({}, 403, "expected put, remove or leave"),
    ):
        answer = alice.post(PAGE, said)
        assert (answer.status_code, words in answer.content.decode()) == (status, True)
    assert queries.role_in(people.lab, people.alice) is Role.OWNER


def test_a_member_leaves_and_decides_nothing_else(people: People) -> None:
    bob = browser(people.bob)
    assert "Admit somebody" not in bob.get(PAGE).content.decode()
    for said in (
        {"decision": "put", "person": "bob", "role": "owner"},
        {"decision": "remove", "person": "alice"},
    ):
        assert bob.post(PAGE, said).status_code == 403
    assert bob.post(PAGE, {"decision": "leave"})["Location"] == MINE
    assert bob.get(PAGE).status_code == 404


def test_an_owner_who_removes_themself_is_led_away(people: People) -> None:
    alice = browser(people.alice)
    alice.post(PAGE, {"decision": "put", "person": "bob", "role": "owner"})
    assert alice.post(PAGE, {"decision": "remove", "person": "alice"})["Location"] == MINE


def test_who_is_in_it_is_nobody_elses_to_know(people: People) -> None:
    assert Client().get(PAGE).status_code == 302
    assert browser(people.charlie).get(PAGE).status_code == 404
    assert browser(people.charlie).get("/settings/organisations/never").status_code == 404
    assert client_of(people.charlie, "read").get(API).status_code == 404
    assert client_of(None).get(API).status_code == 401


def test_ones_organisations_are_listed(people: People) -> None:
    assert PAGE in browser(people.bob).get(MINE).content.decode()
    assert "You are in none" in browser(people.charlie).get(MINE).content.decode()
    assert MINE in browser(people.charlie).get("/settings").content.decode()


def test_a_token_reads_who_is_in_it_and_changes_nothing(people: People) -> None:
    bob = client_of(people.bob, "read", "publish")
    found = bob.get(API).json()["results"]
    assert {each["person"]: each["role"] for each in found} == {"alice": "owner", "bob": "member"}
    alice = client_of(people.alice, *("read", "publish"))
    assert alice.put(f"{API}/charlie", {"role": "owner"}, format="json").status_code == 403
    assert alice.delete(f"{API}/bob").status_code == 403


def test_an_owner_in_a_browser_does_by_the_api_what_the_page_does(people: People) -> None:
    alice, bob = in_session(people.alice), in_session(people.bob)
    made = alice.put(f"{API}/charlie", {"role": "reader"}, format="json")
    assert (made.status_code, made.json()["role"]) == (200, "reader")
    assert bob.put(f"{API}/bob", {"role": "owner"}, format="json").json()["code"] == "not-allowed"
    assert alice.delete(f"{API}/charlie").status_code == 204
    assert alice.delete(f"{API}/charlie").json()["code"] == "person-unknown"
    assert alice.delete(f"{API}/alice").json()["code"] == "last-owner"
    assert bob.delete(f"{API}/bob").status_code == 204


def test_who_left_the_registry_is_admitted_nowhere(people: People) -> None:
    people.charlie.is_active = False
    people.charlie.save()
    said = {"decision": "put", "person": "charlie", "role": "member"}
    assert browser(people.alice).post(PAGE, said).status_code == 404
