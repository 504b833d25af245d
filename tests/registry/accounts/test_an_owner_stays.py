# SPDX-License-Identifier: Apache-2.0
"""An organisation always has an owner who is here, whoever leaves at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from registry.accounts import erasing, queries, services
from registry.accounts.errors import LastOwner, PersonUnknown
from registry.accounts.models import Membership, Role, User
from registry.api.problems import Problem
from tests.registry.people import People
from tests.registry.pool.test_contention import AT_ONCE, at_the_same_moment

together = pytest.mark.django_db(transaction=True)


def two_owners(people: People) -> None:
    services.add_member(people.lab, people.bob, Role.OWNER, by=people.alice)


def owners(people: People) -> int:
    rows = Membership.objects.filter(organisation=people.lab, role=Role.OWNER)
    return rows.filter(user__is_active=True).count()


def tried(call: Callable[[], object]) -> bool:
    """Whether it was done."""
    try:
        call()
    except Problem:
        return False
    return True


def race(*calls: Callable[[], object]) -> list[bool]:
    """Each as often as the others, all at the same moment."""
    many: list[Callable[[], bool]] = []
    while len(many) < AT_ONCE:
        many += [partial(tried, call) for call in calls]
    return at_the_same_moment(many[:AT_ONCE])


@pytest.mark.django_db
def test_an_owner_who_left_counts_no_more(people: People) -> None:
    two_owners(people)
    erasing.close("bob")
    with pytest.raises(LastOwner, match="alice is the only owner"):
        services.remove_member(people.lab, people.alice, by=people.alice)
    with pytest.raises(LastOwner, match="alice is the only owner of lab"):
        erasing.close("alice")
    services.remove_member(people.lab, people.bob, by=people.alice)


@pytest.mark.django_db
def test_nobody_who_left_is_admitted(people: People) -> None:
    erasing.close("charlie")
    with pytest.raises(PersonUnknown, match="found one who left"):
        services.add_member(people.lab, people.charlie, Role.OWNER, by=people.alice)
    assert queries.role_in(people.lab, people.charlie) is None
    with pytest.raises(PersonUnknown):
        services.create_organisation("another", people.charlie)


@together
def test_of_two_owners_who_leave_the_registry_at_once_one_stays(people: People) -> None:
    two_owners(people)
    race(lambda: erasing.close("alice"), lambda: erasing.close("bob"))
    assert owners(people) == 1


@together
def test_who_leaves_the_registry_and_who_leaves_the_organisation_wait(people: People) -> None:
    two_owners(people)
    leave = partial(services.remove_member, people.lab, people.bob, by=people.bob)
    race(lambda: erasing.close("alice"), leave)
    assert owners(people) == 1


@together
def test_who_is_made_an_owner_while_they_leave_is_none(people: People) -> None:
    def hand_over() -> None:
        services.add_member(people.lab, people.charlie, Role.OWNER, by=people.alice)
        services.remove_member(people.lab, people.alice, by=people.alice)

    race(lambda: erasing.close("charlie"), hand_over)
    assert owners(people) == 1


@together
def test_nobody_founds_more_than_they_may_at_once(people: People) -> None:
    def found(number: int) -> object:
        return services.create_organisation(f"lab-{number}", people.charlie)

    done = at_the_same_moment([partial(tried, partial(found, each)) for each in range(AT_ONCE)])
    assert sum(done) == services.MOST_FOUNDED == _owned(people.charlie)


def _owned(person: User) -> int:
    return Membership.objects.filter(user=person, role=Role.OWNER).count()
