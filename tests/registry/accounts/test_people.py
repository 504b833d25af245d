# SPDX-License-Identifier: Apache-2.0
"""People and organisations: who acts for which name, and who admits whom."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command
from django.test import RequestFactory
from rest_framework.request import Request

from registry.accounts import queries, services
from registry.accounts.errors import LastOwner, NotAllowed, WeakPassword
from registry.accounts.models import Membership, Namespace, Role, User
from registry.audit.models import AuditRow
from tests.registry.people import People


def names_of(user: User) -> list[str]:
    return [namespace.name for namespace in queries.namespaces_of(user)]


def test_people_act_for_their_own_name_and_their_organisations(people: People) -> None:
    assert names_of(people.alice) == ["alice", "lab"]
    assert names_of(people.bob) == ["bob", "lab"]
    assert names_of(people.charlie) == ["charlie"]


def test_who_may_publish_under_a_name(people: People) -> None:
    lab = people.lab.namespace
    assert queries.may_publish(people.alice, lab)
    assert queries.may_publish(people.bob, lab)
    assert not queries.may_publish(people.charlie, lab)
    assert not queries.may_publish(people.alice, people.bob.namespace)


def test_rights_end_with_the_account_and_the_membership(people: People) -> None:
    services.remove_member(people.lab, people.bob, by=people.alice)
    assert not queries.may_publish(people.bob, people.lab.namespace)
    people.alice.is_active = False
    people.alice.save()
    assert not queries.may_publish(people.alice, people.lab.namespace)


def test_only_an_owner_admits_and_removes(people: People) -> None:
    for by in (people.bob, people.charlie):
        with pytest.raises(NotAllowed):
            services.add_member(people.lab, people.charlie, Role.MEMBER, by=by)
        with pytest.raises(NotAllowed):
            services.remove_member(people.lab, people.alice, by=by)
    assert queries.role_in(people.lab, people.charlie) is None


def test_a_member_leaves_by_themselves(people: People) -> None:
    services.remove_member(people.lab, people.bob, by=people.bob)
    services.remove_member(people.lab, people.charlie, by=people.charlie)
    assert Membership.objects.count() == 1
    assert AuditRow.objects.filter(action="organisation.leave").count() == 1


def test_an_organisation_keeps_an_owner(people: People) -> None:
    with pytest.raises(LastOwner, match="alice is the only owner"):
        services.remove_member(people.lab, people.alice, by=people.alice)
    with pytest.raises(LastOwner):
        services.add_member(people.lab, people.alice, Role.MEMBER, by=people.alice)
    services.add_member(people.lab, people.bob, Role.OWNER, by=people.alice)
    services.remove_member(people.lab, people.alice, by=people.bob)
    assert queries.role_in(people.lab, people.bob) is Role.OWNER


def test_each_change_leaves_one_audit_row(people: People) -> None:
    services.remove_member(people.lab, people.bob, by=people.alice)
    services.remove_member(people.lab, people.bob, by=people.alice)
    rows = AuditRow.objects.order_by("id").values_list("actor", "action", "subject")
    assert list(rows) == [
        ("system", "user.create", "alice"),
        ("system", "user.create", "bob"),
        ("system", "user.create", "charlie"),
        ("user:alice", "organisation.create", "lab"),
        ("user:alice", "organisation.member", "lab"),
        ("user:alice", "organisation.leave", "lab"),
    ]


@pytest.mark.parametrize("password", ["", "short", "password1234", "daisy-daisy1"])
def test_a_weak_password_is_refused_and_no_name_is_used_up(password: str, db: None) -> None:
    with pytest.raises(WeakPassword):
        services.create_user("daisy-daisy", password)
    assert not Namespace.objects.exists()


def test_things_are_found_by_name(people: People) -> None:
    lab = queries.organisation("lab")
    assert (queries.user("alice"), queries.user("lab")) == (people.alice, None)
    assert (lab, queries.organisation("alice")) == (people.lab, None)
    assert queries.namespace("nobody") is None


def test_a_view_without_a_caller_is_a_mistake_of_ours(db: None) -> None:
    with pytest.raises(TypeError, match="permissions demand authentication"):
        queries.caller(Request(RequestFactory().get("/")))


def test_the_command_creates_a_person(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    call_command("user", "create", "dora", "--staff", stderr=io.StringIO())
    dora = queries.user("dora")
    assert dora is not None
    assert dora.is_staff
    assert dora.check_password("correct horse battery")
    with pytest.raises(CommandError, match="reserved"):
        call_command("user", "create", "api", "--no-password")


def test_people_are_shown_by_name(people: People) -> None:
    shown = [str(one) for one in (people.alice, people.lab, people.lab.namespace)]
    assert shown == ["alice", "lab", "lab"]
    assert people.alice.get_username() == "alice"
