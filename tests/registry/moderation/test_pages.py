# SPDX-License-Identifier: Apache-2.0
"""The pages: reporting, the queue, a case as each sees it, deciding and appealing by forms."""

from __future__ import annotations

import hashlib
import uuid

import pytest
from django.test import Client

from registry.accounts import sanctioning
from registry.catalog.models import Checkpoint
from registry.moderation import queries
from registry.moderation.models import Case, Decision, State
from tests.registry.catalog.world import World
from tests.registry.moderation.court import (
    REASONS,
    WORDS,
    Court,
    decided,
    dismissal,
    reported,
    sanction,
)
from tests.registry.people import browser

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(world: World, first: Checkpoint) -> Case:
    return reported(first.full_name, world.people.charlie)


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_person_reports_by_a_form(world: World, first: Checkpoint) -> None:
    charlie = browser(world.people.charlie)
    assert Client().get("/community/report").status_code == 302
    assert "What is it about?" in page(charlie, "/community/report")
    assert 'value="coc:1.1"' in page(charlie, f"/community/report?about={first.full_name}")
    form = {"about": first.full_name, "clause": "coc:1.2", "words": WORDS, "evidence": "x"}
    empty = charlie.post("/community/report", {**form, "words": " "})
    assert empty.status_code == 422
    assert "words: expected" in empty.content.decode()
    assert 'value="coc:1.2" required checked' in empty.content.decode()
    answer = charlie.post("/community/report", form)
    case = Case.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, case.path)
    shown = page(charlie, case.path)
    assert "What comes of it is shown here" in shown
    assert "Propose a decision" not in shown
    unknown = charlie.get("/community/report?about=nobody/none@x")
    assert unknown.status_code == 422
    assert f'href="/community/report?about={first.full_name}"' in page(charlie, first.path)


def test_the_queue_is_for_those_who_decide(world: World, court: Court, case: Case) -> None:
    assert case.path in page(browser(court.dora), "/community/cases")
    for person in (world.people.alice, world.people.bob):
        assert case.path not in page(browser(person), "/community/cases")
        assert browser(person).get(case.path).status_code == 404
    assert "Waiting for a decision" not in page(browser(world.people.charlie), "/community/cases")
    assert case.path in page(browser(world.people.charlie), "/community/cases")  # it is theirs
    world.people.alice.is_staff = True
    world.people.alice.save()
    assert case.path not in page(browser(world.people.alice), "/community/cases")
    sanctioning.suspend(court.dora.namespace, case=uuid.uuid4(), until=None)
    suspended = page(browser(court.dora), "/community/cases")
    assert "Waiting for a decision" not in suspended
    assert case.name not in suspended


def test_two_decide_by_forms(court: Court, case: Case) -> None:
    dora, emil = browser(court.dora), browser(court.emil)
    version = case.reports.select_related("version")[0].version
    form = {
        "measure": "sanction",
        "clause": f"{version}#coc:1.1",
        "reasons": REASONS,
    }
    for wrong in ({"measure": "hang"}, {"reasons": ""}, {"clause": f"{version}#coc:9.9"}):
        answer = dora.post(f"{case.path}/proposals", {**form, **wrong})
        assert answer.status_code == 422
    assert dora.post(f"{case.path}/proposals", form).status_code == 302
    decision = Decision.objects.get()
    shown = page(dora, case.path)
    assert "Take it back" in shown
    assert "Confirm: it is decided" not in shown
    alone = dora.post(f"{case.path}/proposals/{decision.pk}", {"confirm": "1"})
    assert alone.status_code == 403
    assert "two decide" in alone.content.decode()
    assert "Confirm: it is decided" in page(emil, case.path)
    done = emil.post(f"{case.path}/proposals/{decision.pk}", {"confirm": "1"})
    assert done.status_code == 302
    case.refresh_from_db()
    assert case.state == State.SANCTIONED
    assert "sanctioned" in page(emil, "/community/cases")


@pytest.mark.parametrize("clause", ["", "no-such@1.0#coc:1.1", "a\0b@1.0#coc:1.1", "a@\0#coc:1.1"])
def test_a_clause_of_no_rules_is_refused(court: Court, case: Case, clause: str) -> None:
    form = {"measure": "sanction", "clause": clause, "reasons": REASONS}
    answer = browser(court.dora).post(f"{case.path}/proposals", form)
    assert answer.status_code == 404
    assert "expected a published conduct version" in answer.content.decode()
    assert not Decision.objects.exists()


def test_a_proposal_is_refused_by_a_form(court: Court, case: Case) -> None:
    dora, emil = browser(court.dora), browser(court.emil)
    assert "proposals" in page(dora, case.path)
    dora.post(f"{case.path}/proposals", {"measure": "dismiss", "reasons": "None."})
    decision = Decision.objects.get()
    assert emil.post(f"{case.path}/proposals/{decision.pk}", {"refuse": "1"}).status_code == 302
    assert queries.proposal(case) is None
    assert "Propose a decision" in page(emil, case.path)


def test_who_was_sanctioned_reads_why_and_appeals_and_not_who_said_so(
    world: World, court: Court, case: Case
) -> None:
    alice = browser(world.people.alice)
    decided(case, court, sanction(case))
    assert case.path in page(alice, "/community/cases")
    shown = page(alice, case.path)
    assert REASONS in shown
    assert WORDS in shown
    for name in ("charlie", "dora", "emil"):
        assert name not in shown
    file = alice.get(f"{case.path}/case-file.json").content
    assert hashlib.sha256(file).hexdigest() == Decision.objects.get().evidence_sha256
    assert b"charlie" not in file
    charlie = browser(world.people.charlie)
    assert charlie.get(f"{case.path}/case-file.json").status_code == 404
    assert REASONS not in page(charlie, case.path)
    assert alice.post(f"{case.path}/appeal", {"words": ""}).status_code == 422
    assert alice.post(f"{case.path}/appeal", {"words": "It is not."}).status_code == 302
    shown = page(browser(court.frida), case.path)
    assert "It is not." in shown
    assert "The sanction is lifted" in shown


def test_who_is_suspended_appeals(world: World, court: Court) -> None:
    case = reported("bob", world.people.charlie)
    decided(case, court, sanction(case, days=3))
    bob = browser(world.people.bob)
    assert "Suspended until" in page(bob, case.path)
    assert bob.post(f"{case.path}/appeal", {"words": "I did not."}).status_code == 302


def test_what_was_dismissed_is_not_held_against_anybody(
    world: World, court: Court, case: Case
) -> None:
    decided(case, court, dismissal())
    assert browser(world.people.alice).get(case.path).status_code == 404
    assert "no breach found" in page(browser(world.people.charlie), case.path)
