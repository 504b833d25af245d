# SPDX-License-Identifier: Apache-2.0
"""An appeal: once, in time, by who was sanctioned; decided by another, who may lift it all."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from assay.signing.digests import as_id, sha256
from assay.signing.evidence import Evidence, Part
from assay.signing.statements import LiftingClaim, Statement
from assay.signing.verify import verify_checkpoint
from registry.accounts.models import Node, User
from registry.catalog import queries as catalog
from registry.catalog.models import Checkpoint
from registry.catalog.models.told import Happening
from registry.catalog.queries import withheld
from registry.catalog.services import takedowns
from registry.catalog.services.takedowns import Order
from registry.conduct import services as conduct
from registry.conduct import standing
from registry.ledger import services as ledger
from registry.moderation import deciding, queries
from registry.moderation.deciding import Proposal
from registry.moderation.errors import (
    InvalidDecision,
    MayNotDecide,
    NotAppealable,
    NotDecidable,
    NotFound,
)
from registry.moderation.models import Case, Measure, Sanction, State
from tests.registry.catalog.world import World, by_person, changed, project, publish
from tests.registry.moderation.court import Court, confirmed, decided, reported, sanction
from tests.registry.people import browser, secret_of
from tests.registry.verifying import demands
from tests.running import Authority

pytestmark = pytest.mark.django_db

WORDS = "The card warns of forged invoices; it offers none."
LIFT = Proposal(measure=Measure.LIFT, reasons="The card warns of it.")
UPHOLD = Proposal(measure=Measure.UPHOLD, reasons="It says how, too.")


@pytest.fixture
def case(world: World, court: Court, first: Checkpoint) -> Case:
    """The lab's checkpoint was taken down for a clause."""
    found = reported(first.full_name, world.people.charlie)
    return decided(found, court, sanction(found))


def appealed(case: Case, by: User) -> Case:
    return deciding.appeal(case.pk, WORDS, by=by)


def lifted(case: Case, court: Court) -> Case:
    """Dora proposed the sanction, too; Frida had no part in it."""
    return confirmed(deciding.propose(case, LIFT, by=court.dora), court.frida)


def test_it_is_filed_once_by_who_decides_for_the_name(world: World, case: Case) -> None:
    with pytest.raises(NotFound):
        appealed(case, world.people.charlie)
    with pytest.raises(NotFound):
        appealed(case, world.people.bob)  # a member, who decides nothing
    assert appealed(case, world.people.alice).state == State.APPEALED
    with pytest.raises(NotAppealable, match="found a case that is appealed"):
        appealed(case, world.people.alice)
    with pytest.raises(InvalidDecision, match="words: expected"):
        deciding.appeal(case.pk, " ", by=world.people.alice)


def test_after_its_deadline_it_is_refused(world: World, case: Case) -> None:
    late = timezone.now() - queries.APPEAL_WITHIN - timedelta(seconds=1)
    Sanction.objects.update(imposed_at=late)
    with pytest.raises(NotAppealable, match="expected an appeal until"):
        appealed(case, world.people.alice)
    Sanction.objects.update(imposed_at=late + timedelta(minutes=1))
    assert appealed(case, world.people.alice).state == State.APPEALED


def test_what_was_dismissed_or_is_open_is_not_appealed(world: World, first: Checkpoint) -> None:
    case = reported(first.full_name, world.people.charlie)
    with pytest.raises(NotAppealable, match="that is open"):
        appealed(case, world.people.alice)


def test_who_decided_it_does_not_confirm_what_comes_of_the_appeal(
    world: World, court: Court, case: Case
) -> None:
    appealed(case, world.people.alice)
    decision = deciding.propose(case, LIFT, by=court.frida)
    for earlier in (court.dora, court.emil):
        with pytest.raises(MayNotDecide, match="no part in the decision"):
            confirmed(decision, earlier)
    case.refresh_from_db()
    assert case.state == State.APPEALED


def test_a_lifted_takedown_is_served_again_and_its_evidence_is_as_before(
    authority: Authority, world: World, court: Court, case: Case, first: Checkpoint
) -> None:
    assert catalog.published(first.manifest_sha256) is None
    appealed(case, world.people.alice)
    assert lifted(case, court).state == State.LIFTED
    first.refresh_from_db()
    assert (first.state, first.reason, first.takedown) == ("published", "", None)
    assert catalog.published(first.manifest_sha256) == first
    ledger.integrate()
    answer = Client().get(f"/api/v1/checkpoints/{as_id(first.manifest_sha256)}/evidence")
    evidence = Evidence.parse(answer.json())
    assert Part.TAKEDOWN not in evidence.bundles
    verified = verify_checkpoint(
        evidence,
        trust=authority.trust_root,
        requirements=demands(),
        files=catalog.manifest(first),
    )
    assert verified.takedown is None
    kinds = [each.kind for each in Happening.objects.order_by("pk")]
    assert kinds[-2:] == ["checkpoint.taken-down", "checkpoint.restored"]


def test_both_are_in_the_ledger(world: World, court: Court, case: Case) -> None:
    imposed = Sanction.objects.get(case=case)
    appealed(case, world.people.alice)
    lifted(case, court)
    imposed.refresh_from_db()
    assert imposed.lifting is not None
    claim = LiftingClaim.parse(Statement.parse(bytes(imposed.lifting.payload)))
    assert claim.statement_sha256 == imposed.statement.sha256
    assert claim.lifted_at == imposed.lifted_at


def test_what_is_upheld_stays_and_is_not_appealed_again(
    world: World, court: Court, case: Case, first: Checkpoint
) -> None:
    appealed(case, world.people.alice)
    decision = deciding.propose(case, UPHOLD, by=court.emil)
    assert confirmed(decision, court.frida).state == State.UPHELD
    first.refresh_from_db()
    assert first.state == "taken-down"
    with pytest.raises(NotAppealable, match="that is upheld"):
        appealed(case, world.people.alice)
    with pytest.raises(NotDecidable):
        deciding.propose(case, LIFT, by=court.dora)


def test_a_checkpoint_of_a_project_that_was_taken_down_since_is_not_restored(
    world: World, court: Court, case: Case, first: Checkpoint
) -> None:
    takedowns.take_down_project(world.project, Order(reason="A court.", by="system"))
    appealed(case, world.people.alice)
    lifted(case, court)
    first.refresh_from_db()
    assert first.state == "taken-down"


def test_what_a_court_forbids_as_well_stays_down(
    world: World, court: Court, case: Case, first: Checkpoint
) -> None:
    takedowns.take_down_checkpoint(first, Order(reason="A court.", by="system"))
    appealed(case, world.people.alice)
    lifted(case, court)
    first.refresh_from_db()
    assert (first.state, first.reason, first.case) == ("taken-down", "A court.", None)


def test_so_do_weights_that_another_takedown_forbids(
    world: World, court: Court, case: Case, first: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = world.people.bob
    conduct.accept(world.conduct, bob.namespace, bob)
    copies = project(bob.namespace, world.conduct, bob, "copy")
    appealed(case, world.people.alice)
    monkeypatch.setattr(withheld, "is_own", lambda _name, _size: False)
    copy = publish(changed(by_person(world, user=bob), project=copies))
    monkeypatch.undo()
    takedowns.take_down_checkpoint(copy, Order(reason="A court.", by="system"))
    lifted(case, court)
    first.refresh_from_db()
    assert first.state == "taken-down"


def test_a_report_during_an_appeal_is_another_case_and_the_file_stays(
    world: World, court: Court, case: Case
) -> None:
    appealed(case, world.people.alice)
    file = browser(court.frida).get(f"{case.path}/case-file.json").content
    assert reported(case.name, court.frida) != case
    assert browser(world.people.alice).get(f"{case.path}/case-file.json").content == file
    assert sha256(file) == Sanction.objects.get(case=case).decision.evidence_sha256


def test_who_appealed_reads_what_came_of_it(world: World, court: Court, case: Case) -> None:
    appealed(case, world.people.alice)
    confirmed(deciding.propose(case, UPHOLD, by=court.emil), court.frida)
    shown = browser(world.people.alice).get(case.path).content.decode()
    assert UPHOLD.reasons in shown
    for name in ("dora", "emil", "frida"):
        assert name not in shown


def test_a_party_and_a_machine_take_part_again(world: World, court: Court) -> None:
    bob = world.people.bob
    for about in ("bob", f"node:{world.node.pk}"):
        found = reported(about, world.people.charlie)
        lifted(appealed(decided(found, court, sanction(found)), bob), court)
    standing.require(bob.namespace, world.conduct)
    secret_of(bob, "read")
    assert Node.objects.get(pk=world.node.pk).expelled_by is None
