# SPDX-License-Identifier: Apache-2.0
"""Who is given the files of a gated project: asked for, decided by its owner, and taken back."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from registry.accounts import services as accounts
from registry.accounts.models import Role
from registry.api.problems import InvalidRequest
from registry.audit.models import AuditRow
from registry.catalog import queries, services
from registry.catalog.errors import (
    AccessNeeded,
    AccessUnknown,
    AlreadyAdmitted,
    MayNotGovern,
    NotFound,
    NotGated,
)
from registry.catalog.models import Gate, Project
from registry.catalog.models.accesses import Access, AccessState
from registry.catalog.queries import gates
from registry.outputs import asking
from registry.outputs import queries as outputs
from registry.outputs.errors import NotGeneratable
from registry.site import erasing
from tests.registry.catalog.world import World, accept, by_person, publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(world: World) -> World:
    """Charlie has accepted what the project is under."""
    accept(world, world.people.charlie)
    return world


@pytest.fixture
def project(world: World) -> Project:
    """Its files are for whom Alice lets in."""
    return services.set_gate(world.project, Gate.ASKS, "Who are you?", by=world.people.alice)


def test_who_asks_waits_is_let_in_and_is_put_out_again(world: World, project: Project) -> None:
    alice, charlie = world.people.alice, world.people.charlie
    services.ask(project, by=charlie, said="For my thesis.")
    assert not gates.admits(project, charlie)
    assert [each.person for each in gates.asked(project, AccessState.ASKED)] == [charlie]
    services.decide(project, charlie, AccessState.GRANTED, by=alice)
    assert gates.admits(project, charlie)
    services.decide(project, charlie, AccessState.REFUSED, by=alice, reason="It is over.")
    assert not gates.admits(project, charlie)
    row = Access.objects.get()
    assert (row.said, row.reason, row.decided_by) == ("For my thesis.", "It is over.", alice)
    rows = AuditRow.objects.filter(action__startswith="access.")
    assert [(each.actor, each.details["state"]) for each in rows.order_by("pk")] == [
        ("user:charlie", "asked"),
        ("user:alice", "granted"),
        ("user:alice", "refused"),
    ]


def test_the_refusal_says_what_to_do_next(world: World, project: Project) -> None:
    where = "/lab/small/settings/ask"
    for viewer, words in (
        (None, f"Ask for access at http.*{where}, and use a token of yours"),
        (world.people.charlie, f"Ask for access at http.*{where}$"),
    ):
        with pytest.raises(AccessNeeded, match=words):
            gates.check(project, viewer)
    services.ask(project, by=world.people.charlie)
    with pytest.raises(AccessNeeded, match=r"You asked on \d{4}-\d\d-\d\d; the answer will be at"):
        gates.check(project, world.people.charlie)
    refused = AccessState.REFUSED
    services.decide(project, world.people.charlie, refused, by=world.people.alice)
    with pytest.raises(AccessNeeded, match="You were refused; see http"):
        gates.check(project, world.people.charlie)


def test_an_automatic_gate_lets_in_whoever_asks_and_nobody_else(world: World) -> None:
    project = services.set_gate(world.project, Gate.AUTOMATIC, by=world.people.alice)
    assert not gates.admits(project, world.people.charlie)
    assert services.ask(project, by=world.people.charlie).state == AccessState.GRANTED
    assert gates.admits(project, world.people.charlie)


def test_who_waits_is_let_in_when_they_ask_a_gate_that_became_automatic(
    world: World, project: Project
) -> None:
    assert services.ask(project, by=world.people.charlie).state == AccessState.ASKED
    assert services.ask(project, by=world.people.charlie).state == AccessState.ASKED
    services.set_gate(project, Gate.AUTOMATIC, by=world.people.alice)
    assert services.ask(project, by=world.people.charlie).state == AccessState.GRANTED
    assert Access.objects.count() == 1


def test_who_was_refused_asks_in_vain_until_the_owner_thinks_again(
    world: World, project: Project
) -> None:
    alice, charlie = world.people.alice, world.people.charlie
    services.ask(project, by=charlie)
    services.decide(project, charlie, AccessState.REFUSED, by=alice)
    services.set_gate(project, Gate.AUTOMATIC, by=alice)
    services.give_up(project, by=charlie)
    assert services.ask(project, by=charlie).state == AccessState.REFUSED
    assert services.grant(project, charlie, by=alice).state == AccessState.GRANTED


def test_who_gives_up_is_out_and_may_ask_again(world: World, project: Project) -> None:
    services.grant(project, world.people.charlie, by=world.people.alice)
    services.give_up(project, by=world.people.charlie)
    services.give_up(project, by=world.people.charlie)
    assert not gates.admits(project, world.people.charlie)
    assert AuditRow.objects.filter(action="access.give-up").count() == 1
    assert services.ask(project, by=world.people.charlie).state == AccessState.ASKED


def test_members_and_readers_have_nothing_to_ask_for(world: World, project: Project) -> None:
    people = world.people
    accounts.add_member(people.lab, people.charlie, Role.READER, by=people.alice)
    for person in (people.alice, people.bob, people.charlie):
        assert gates.admits(project, person)
        with pytest.raises(AlreadyAdmitted, match="who is not in lab"):
            services.ask(project, by=person)
        with pytest.raises(AlreadyAdmitted, match="expected somebody without access"):
            services.grant(project, person, by=people.alice)


def test_only_an_owner_decides(world: World, project: Project) -> None:
    people = world.people
    services.ask(project, by=people.charlie)
    for person in (people.bob, people.charlie):
        with pytest.raises(MayNotGovern):
            services.set_gate(project, Gate.OPEN, by=person)
        with pytest.raises(MayNotGovern):
            services.decide(project, people.charlie, AccessState.GRANTED, by=person)
        with pytest.raises(MayNotGovern):
            services.grant(project, people.charlie, by=person)
    assert not gates.admits(project, people.charlie)


def test_what_is_open_has_nobody_waiting(world: World) -> None:
    people = world.people
    with pytest.raises(NotGated, match="found lab/small, which is open"):
        services.ask(world.project, by=people.charlie)
    with pytest.raises(NotGated, match="found lab/small, which is open"):
        services.grant(world.project, people.charlie, by=people.alice)


def test_nobody_is_answered_who_did_not_ask(world: World, project: Project) -> None:
    people = world.people
    with pytest.raises(AccessUnknown, match="expected a request of charlie, found none"):
        services.decide(project, people.charlie, AccessState.GRANTED, by=people.alice)
    services.end(project, by=people.alice)
    with pytest.raises(NotFound):
        services.ask(project, by=people.charlie)


def test_words_have_their_length(world: World, project: Project) -> None:
    people, long = world.people, "a" * 4001
    for refused, most in (
        (lambda: services.set_gate(project, Gate.ASKS, long, by=people.alice), 4000),
        (lambda: services.ask(project, by=people.charlie, said=long), 2000),
        (
            lambda: services.decide(
                project, people.charlie, AccessState.REFUSED, by=people.alice, reason=long
            ),
            200,
        ),
    ):
        with pytest.raises(InvalidRequest, match=f"expected at most {most} characters"):
            refused()


def test_a_gate_is_set_once_for_who_sets_it_twice(world: World, project: Project) -> None:
    services.set_gate(project, Gate.ASKS, "Who are you?", by=world.people.alice)
    shown = AuditRow.objects.get(action="project.gate")
    assert (shown.actor, shown.details) == ("user:alice", {"gate": "asks"})


def test_open_files_are_asked_in_as_many_queries_as_before(
    world: World, project: Project, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    publish(by_person(world))
    digests = {file.sha256 for file in by_person(world, "x").manifest.files}
    with django_assert_num_queries(1):
        assert queries.open_blobs(digests) == frozenset()
    with django_assert_num_queries(1):
        assert queries.open_blobs(digests, world.people.charlie) == frozenset()
    services.grant(project, world.people.charlie, by=world.people.alice)
    with django_assert_num_queries(1):
        assert queries.open_blobs(digests, world.people.charlie) == digests


def test_a_generation_program_of_others_is_given_none_of_it(world: World, project: Project) -> None:
    checkpoint = publish(by_person(world))
    with pytest.raises(NotGeneratable, match="found a gated one"):
        outputs.check_generatable(checkpoint)
    assert not asking._can_have_sample(checkpoint)


def test_who_leaves_is_forgotten_by_gates_too(world: World, project: Project) -> None:
    """What they asked elsewhere, whom they let in, and who asked for what was theirs."""
    people = world.people
    accounts.add_member(people.lab, people.bob, Role.OWNER, by=people.alice)
    services.ask(project, by=people.charlie, said="I am Charlie.")
    services.decide(project, people.charlie, AccessState.GRANTED, by=people.bob)
    erasing.erase("bob")
    assert Access.objects.get().decided_by is None
    erasing.erase("charlie")
    assert not Access.objects.exists()
    assert not AuditRow.objects.filter(details__user="charlie").exists()
