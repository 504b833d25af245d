# SPDX-License-Identifier: Apache-2.0
"""Two decide, of whom none is the accused and the second none that reported; or nothing changes."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from registry.accounts import sanctioning
from registry.accounts import services as accounts
from registry.accounts.models import Role, User
from registry.api.problems import Problem
from registry.audit.models import AuditRow
from registry.catalog import services as catalog
from registry.catalog.models import Checkpoint
from registry.conduct import queries as conduct_queries
from registry.conduct import services as conduct
from registry.moderation import deciding
from registry.moderation.deciding import Proposal
from registry.moderation.errors import InvalidDecision, MayNotDecide, NotDecidable
from registry.moderation.models import Case, Decision, Measure, Sanction, State
from tests.registry.catalog.world import World
from tests.registry.moderation.court import (
    REASONS,
    Court,
    confirmed,
    decided,
    dismissal,
    reported,
    sanction,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(world: World, first: Checkpoint) -> Case:
    return reported(first.full_name, world.people.charlie)


def made_staff(person: User) -> User:
    person.is_staff = True
    person.save()
    return person


def refused(code: type[Problem], words: str, act: Callable[[], object], case: Case) -> None:
    """That nothing was decided by it."""
    with pytest.raises(code, match=words):
        act()
    case.refresh_from_db()
    assert case.state == State.OPEN
    assert not Sanction.objects.exists()


def test_nobody_decides_alone(court: Court, case: Case) -> None:
    decision = deciding.propose(case, sanction(case), by=court.dora)
    refused(MayNotDecide, "two decide", lambda: confirmed(decision, court.dora), case)
    assert confirmed(decision, court.emil).state == State.SANCTIONED
    row = AuditRow.objects.get(action="case.decide")
    assert (row.actor, row.subject) == ("user:emil", case.subject)


def test_nor_does_the_database_let_them(court: Court, case: Case) -> None:
    decision = deciding.propose(case, dismissal(), by=court.dora)
    alone = {"confirmed_by": court.dora, "confirmed_at": timezone.now()}
    with pytest.raises(IntegrityError, match="moderation_two_decide"), transaction.atomic():
        Decision.objects.filter(pk=decision.pk).update(**alone)


@pytest.mark.parametrize("name", ["alice", "bob"])  # one owns the lab, the other is in it
def test_the_accused_decides_nothing(world: World, court: Court, case: Case, name: str) -> None:
    accused = made_staff(getattr(world.people, name))
    refused(
        MayNotDecide,
        "not of those whom it concerns",
        lambda: deciding.propose(case, dismissal(), by=accused),
        case,
    )
    decision = deciding.propose(case, sanction(case), by=court.dora)
    refused(MayNotDecide, "concerns", lambda: confirmed(decision, accused), case)
    refused(
        MayNotDecide, "concerns", lambda: deciding.refuse(decision.pk, of=case, by=accused), case
    )


def test_nor_does_who_does_not_run_the_registry(world: World, court: Court, case: Case) -> None:
    charlie = world.people.charlie
    refused(MayNotDecide, "run this", lambda: deciding.propose(case, dismissal(), by=charlie), case)
    decision = deciding.propose(case, dismissal(), by=court.dora)
    refused(MayNotDecide, "run this", lambda: confirmed(decision, charlie), case)


def test_who_reported_it_does_not_confirm_it(court: Court, first: Checkpoint) -> None:
    case = reported(first.full_name, court.emil)
    decision = deciding.propose(case, sanction(case), by=court.dora)
    refused(MayNotDecide, "did not report it", lambda: confirmed(decision, court.emil), case)
    assert confirmed(decision, court.frida).state == State.SANCTIONED


def test_a_report_that_came_since_is_not_decided_unread(court: Court, case: Case) -> None:
    decision = deciding.propose(case, sanction(case), by=court.dora)
    reported(case.name, court.frida)
    refused(NotDecidable, "found more since", lambda: confirmed(decision, court.emil), case)


def test_one_proposal_waits_until_it_is_refused(court: Court, case: Case) -> None:
    decision = deciding.propose(case, sanction(case), by=court.dora)
    refused(
        NotDecidable,
        "confirm or refuse it first",
        lambda: deciding.propose(case, dismissal(), by=court.emil),
        case,
    )
    deciding.refuse(decision.pk, of=case, by=court.emil)
    refused(NotDecidable, "over, or none", lambda: confirmed(decision, court.frida), case)
    assert decided(case, court, dismissal()).state == State.DISMISSED


def test_what_is_decided_is_not_decided_again(court: Court, case: Case) -> None:
    decision = deciding.propose(case, dismissal(), by=court.dora)
    confirmed(decision, court.emil)
    with pytest.raises(NotDecidable, match="over, or none"):
        confirmed(decision, court.frida)
    with pytest.raises(NotDecidable, match="expected nothing of a case that is dismissed"):
        deciding.propose(case, sanction(case), by=court.dora)
    assert not Sanction.objects.exists()


def test_a_sanction_has_reasons_and_a_clause_and_fits_its_subject(
    world: World, court: Court, case: Case
) -> None:
    good = {
        "measure": Measure.SANCTION,
        "reasons": REASONS,
        "version": world.conduct,
        "clause": "coc:1.1",
    }
    for field, value in (
        ("reasons", " "),
        ("reasons", "x" * 1001),
        ("reasons", "a\0b"),
        ("clause", "coc:9.9"),
        ("days", 0),
        ("days", 3651),
    ):
        with pytest.raises(InvalidDecision, match=f"{field}: expected"):
            Proposal(**{**good, field: value})  # type: ignore[arg-type]
    with pytest.raises(InvalidDecision, match="clause: expected the clause that was broken"):
        Proposal(measure=Measure.SANCTION, reasons=REASONS)
    refused(
        InvalidDecision,
        "days: expected none for a checkpoint",
        lambda: deciding.propose(case, sanction(case, days=3), by=court.dora),
        case,
    )
    conduct.publish_shipped()
    other = conduct_queries.to_accept("openmdw")
    clause = str(other.document["clauses"][0]["id"])
    foreign = Proposal(measure=Measure.SANCTION, reasons=REASONS, version=other, clause=clause)
    refused(
        InvalidDecision,
        "expected one of rules that were reported",
        lambda: deciding.propose(case, foreign, by=court.dora),
        case,
    )


def test_who_proposed_it_may_still_decide_when_it_is_confirmed(
    world: World, court: Court, case: Case
) -> None:
    decision = deciding.propose(case, sanction(case), by=court.dora)
    accounts.add_member(world.people.lab, court.dora, Role.READER, by=world.people.alice)
    refused(MayNotDecide, "concerns", lambda: confirmed(decision, court.emil), case)


def test_who_is_suspended_decides_nothing(court: Court, case: Case) -> None:
    decision = deciding.propose(case, sanction(case), by=court.dora)
    sanctioning.suspend(court.emil.namespace, case=uuid.uuid4(), until=None)
    refused(MayNotDecide, "in good standing", lambda: confirmed(decision, court.emil), case)


def test_of_what_moved_the_new_owner_decides_nothing(
    world: World, court: Court, case: Case
) -> None:
    crew = accounts.create_organisation("crew", court.emil)
    accounts.add_member(crew, world.people.alice, Role.OWNER, by=court.emil)
    conduct.accept(world.conduct, crew.namespace, court.emil)
    decision = deciding.propose(case, sanction(case), by=court.dora)
    catalog.move(world.project, crew.namespace, "small", by=world.people.alice)
    refused(MayNotDecide, "concerns", lambda: confirmed(decision, court.emil), case)
    decided = confirmed(decision, court.frida)
    assert decided.party == crew.namespace


def test_an_appeal_is_not_decided_before_there_is_one(court: Court, case: Case) -> None:
    proposal = Proposal(measure=Measure.LIFT, reasons=REASONS)
    refused(
        NotDecidable,
        "expected dismiss or sanction of a case that is open, found lift",
        lambda: deciding.propose(case, proposal, by=court.dora),
        case,
    )
