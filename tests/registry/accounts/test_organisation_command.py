# SPDX-License-Identifier: Apache-2.0
"""`manage.py organisation`: how the operator of a registry says who acts for a name together."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from registry.accounts import queries
from registry.accounts.models import Role
from registry.audit.models import AuditRow
from tests.registry.people import People


def organisation(*words: str) -> str:
    said = io.StringIO()
    call_command("organisation", *words, stderr=said)
    return said.getvalue().strip()


def test_an_organisation_is_made_and_its_founder_owns_it(people: People) -> None:
    assert organisation("create", "guild", "--by", "charlie") == "charlie owns guild"
    guild = queries.organisation("guild")
    assert guild is not None
    assert queries.role_in(guild, people.charlie) is Role.OWNER


def test_a_person_is_admitted_and_removed(people: People) -> None:
    said = organisation("add-member", "lab", "charlie", "--by", "alice")
    assert said == "charlie acts for lab, as member"
    assert queries.may_publish(people.charlie, people.lab.namespace)
    said = organisation("remove-member", "lab", "charlie", "--by", "alice")
    assert said == "charlie does not act for lab"
    assert not queries.may_publish(people.charlie, people.lab.namespace)
    assert AuditRow.objects.filter(actor="user:alice", subject="lab").count() == 4


def test_a_member_becomes_an_owner(people: People) -> None:
    organisation("add-member", "lab", "bob", "--role", "owner", "--by", "alice")
    assert queries.role_in(people.lab, people.bob) is Role.OWNER


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("create lab --by alice", "expected a name that was never given"),
        ("create api --by alice", "reserved"),
        ("create guild --by nobody", "expected the name of a person, found 'nobody'"),
        ("add-member guild charlie --by alice", "the name of an organisation, found 'guild'"),
        ("add-member lab nobody --by alice", "expected the name of a person, found 'nobody'"),
        ("add-member lab charlie --by bob", "expected an owner of the organisation"),
        ("add-member lab charlie --by alice --role king", "invalid choice: 'king'"),
        ("remove-member lab alice --by bob", "expected an owner of the organisation"),
        ("remove-member lab alice --by alice", "alice is the only owner"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    words: str, found: str, people: People
) -> None:
    rows = AuditRow.objects.count()
    with pytest.raises(CommandError, match=found):
        organisation(*words.split())
    assert AuditRow.objects.count() == rows
