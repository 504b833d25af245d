# SPDX-License-Identifier: Apache-2.0
"""A person leaves while what they sent is still being read: nothing brings the name back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from registry.accounts import services as accounts
from registry.accounts import staying
from registry.accounts.errors import TokenRevoked
from registry.accounts.models import Role, Scope, User
from registry.catalog import services as catalog
from registry.catalog.errors import MayNotPublish
from registry.catalog.models import Project
from registry.conduct import services as conduct
from registry.conduct.errors import NotAccepted
from registry.site import erasing
from tests.registry.catalog.world import (
    FILES,
    World,
    build,
    by_node,
    by_person,
    changed,
    project,
    upload,
)
from tests.registry.people import invite, secret_of
from tests.registry.site.test_erasing import naming
from tests.running import Authority

NAME = "zebulon"
pytestmark = pytest.mark.django_db


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """Zebulon, of the lab, with a project of his own."""

    world: World
    person: User
    own: Project


@pytest.fixture
def leaving(authority: Authority, tmp_path: Path) -> Leaving:
    world = build(invite(), tmp_path / "texts")
    person = accounts.create_user(NAME)
    accounts.add_member(world.people.lab, person, Role.MEMBER, by=world.people.alice)
    conduct.accept(world.conduct, person.namespace, person)
    own = project(person.namespace, world.conduct, person, "own")
    return Leaving(world=world, person=person, own=own)


@pytest.mark.parametrize("where", ["own", "lab"])
def test_what_was_being_read_is_not_kept(leaving: Leaving, where: str) -> None:
    submission = by_person(leaving.world, user=leaving.person)
    if where == "own":
        submission = changed(submission, project=leaving.own)
    catalog.check(submission)
    erasing.erase(NAME)
    with pytest.raises(MayNotPublish, match="found one who left meanwhile"):
        catalog.keep(submission)
    assert naming(NAME) == {"accounts_namespace"}


def test_what_somebody_elses_node_made_for_them_is_not_kept(leaving: Leaving) -> None:
    submission = changed(by_node(leaving.world), project=leaving.own)
    catalog.check(submission)
    erasing.erase(NAME)
    with pytest.raises(NotAccepted, match="expected a live acceptance"):
        catalog.keep(submission)
    assert naming(NAME) == {"accounts_namespace"}


def test_whoever_has_left_the_organisation_publishes_there_no_more(leaving: Leaving) -> None:
    submission = by_person(leaving.world, user=leaving.person)
    catalog.check(submission)
    alice = leaving.world.people.alice
    accounts.remove_member(leaving.world.people.lab, leaving.person, by=alice)
    with pytest.raises(MayNotPublish, match="expected somebody who acts for 'lab'"):
        catalog.keep(submission)


def test_an_upload_that_was_underway_is_nobodys(leaving: Leaving) -> None:
    bearer = f"Bearer {secret_of(leaving.person, Scope.PUBLISH)}"
    staying.hold_bearer(bearer)
    erasing.erase(NAME)
    with pytest.raises(TokenRevoked, match="revoked meanwhile"):
        staying.hold_bearer(bearer)


def test_what_came_after_all_is_cleaned_up_by_the_name_again(leaving: Leaving) -> None:
    first = erasing.erase(NAME)
    actor = f"user:{NAME}"
    late = upload(FILES, actor)
    catalog.receive(changed(by_person(leaving.world), manifest=late, holder=actor))
    tables = {"storage_holding", "catalog_checkpoint", "audit_auditrow"}
    assert naming(NAME) == {"accounts_namespace", *tables}
    again = erasing.erase(NAME)
    assert naming(NAME) == {"accounts_namespace"}
    assert (again.pseudonym, again.statements, again.audit_rows) == ("", 0, 1)
    assert again.stub != first.stub
