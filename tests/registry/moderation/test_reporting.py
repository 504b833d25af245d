# SPDX-License-Identifier: Apache-2.0
"""A report opens a case, or joins the one that is open; each person reports a thing once."""

from __future__ import annotations

from typing import Any

import pytest

from assay.signing.certificates import Purpose
from registry.accounts import services as accounts
from registry.audit.models import AuditRow
from registry.authority import issuing
from registry.authority.queries import trust_root
from registry.catalog import services as catalog
from registry.catalog.models import Checkpoint, Visibility
from registry.conduct import queries as conduct_queries
from registry.conduct import services as conduct
from registry.ledger import certificates
from registry.ledger.certificates import Wanted
from registry.moderation import queries, reporting, subjects
from registry.moderation.errors import AlreadyReported, NothingToReport
from registry.moderation.models import Case, Kind, Report, State
from registry.moderation.reporting import Accusation
from tests.registry.catalog.world import World
from tests.registry.moderation.court import Court, decided, dismissal, reported
from tests.registry.people import client_of, in_session

pytestmark = pytest.mark.django_db


def test_a_report_opens_a_case_and_another_one_joins_it(
    world: World, court: Court, first: Checkpoint
) -> None:
    case = reported("lab/small@first", world.people.charlie)
    assert (case.kind, case.key, case.state) == (Kind.CHECKPOINT, str(first.pk), State.OPEN)
    assert case.party == world.lab
    assert reported("lab/small@first", court.frida, clause=1) == case
    assert [each.clause for each in queries.reports(case)] == ["coc:1.1", "coc:1.2"]
    assert AuditRow.objects.filter(action="case.report", subject=case.subject).count() == 2


def test_the_same_person_reports_it_once_and_again_when_it_was_decided(
    world: World, court: Court, first: Checkpoint
) -> None:
    case = reported(first.full_name, world.people.charlie)
    with pytest.raises(AlreadyReported, match="you reported it"):
        reported(first.full_name, world.people.charlie)
    decided(case, court, dismissal())
    assert reported(first.full_name, world.people.charlie) != case


def test_nobody_fills_the_queue_alone(
    world: World, first: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporting, "MAX_WAITING", 2)
    reported(first.full_name, world.people.charlie)
    reported("bob", world.people.charlie)
    with pytest.raises(AlreadyReported, match="fewer than 2 reports of yours"):
        reported("alice", world.people.charlie)
    assert Case.objects.count() == Report.objects.count() == 2


@pytest.mark.parametrize(
    ("about", "kind"),
    [
        ("bob", Kind.PARTY),
        ("lab", Kind.PARTY),
        ("node:{node}", Kind.NODE),
        ("certificate:{serial}", Kind.CERTIFICATE),
    ],
)
def test_what_else_is_reported(world: World, about: str, kind: Kind) -> None:
    from registry.authority.models import Certificate  # noqa: PLC0415

    serial = Certificate.objects.get(subject=world.node.uri).serial
    case = reported(about.format(node=world.node.pk, serial=serial), world.people.charlie)
    assert case.kind == kind
    owner = world.lab if about == "lab" else world.people.bob.namespace
    assert case.party == owner


def test_a_token_is_reported_by_those_who_know_its_number(world: World, court: Court) -> None:
    from registry.accounts.models import Token  # noqa: PLC0415

    client_of(world.people.bob, "read")
    number = Token.objects.get(user=world.people.bob).pk
    with pytest.raises(NothingToReport):
        subjects.named(f"token:{number}", world.people.charlie)
    assert subjects.named(f"token:{number}", court.dora).party == world.people.bob.namespace


@pytest.mark.parametrize(
    "about",
    [
        "nobody",
        "lab/small@none",
        "lab@x",
        "node:1",
        "node:00000000-0000-4000-8000-000000000000",
        "certificate:",
        "certificate:ff",
        "token:99999999999999999999",
        "a\0b",
        "project:lab/small",
        "\u2028",
    ],
)
def test_what_is_not_here_is_not(world: World, court: Court, about: str) -> None:
    del world
    with pytest.raises(NothingToReport, match="expected a checkpoint"):
        subjects.named(about, court.dora)


def test_what_one_may_not_see_is_not_here_either(world: World, first: Checkpoint) -> None:
    catalog.show(world.project, Visibility.PRIVATE, by=world.people.alice)
    with pytest.raises(NothingToReport):
        subjects.named(first.full_name, world.people.charlie)
    assert subjects.named(first.full_name, world.people.bob).key == str(first.pk)


def test_a_certificate_of_an_office_is_nobodys_breach(world: World) -> None:
    office = f"{trust_root().registry}/conduct"
    rules = world.conduct.sha256
    wanted = Wanted(purpose=Purpose.CHECKPOINT, subject=office, conduct_sha256=rules)
    chain = certificates.issue(wanted)
    issuing.keep(chain, Purpose.CHECKPOINT, office)
    with pytest.raises(NothingToReport):
        subjects.named(f"certificate:{chain.leaf.serial_number:x}", world.people.charlie)


def test_words_are_demanded_and_a_clause_of_these_rules(world: World) -> None:
    good = {"version": world.conduct, "clause": "coc:1.1", "words": "It did."}
    for field, value in (
        ("clause", "coc:9.9"),
        ("words", "  "),
        ("words", "x" * 5001),
        ("words", "a\0b"),
        ("evidence", "x" * 5001),
    ):
        with pytest.raises(NothingToReport, match=f"{field}: expected"):
            Accusation(**{**good, field: value})  # type: ignore[arg-type]


def test_over_the_api_a_person_reports_and_no_program(
    world: World, court: Court, first: Checkpoint
) -> None:
    body: dict[str, Any] = {
        "about": first.full_name,
        "clause": "coc:1.1",
        "words": "It did.",
        "policy": world.conduct.policy_id,
        "version": world.conduct.version,
    }
    answer = in_session(world.people.charlie).post("/api/v1/reports", body, format="json")
    case = Case.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {"case": str(case.pk), "state": "open", "url": case.path}
    alone = {key: value for key, value in body.items() if key != "version"}
    frida = in_session(court.frida)
    assert frida.post("/api/v1/reports", alone, format="json").status_code == 404
    token = client_of(world.people.bob, "read", "publish")
    assert token.post("/api/v1/reports", body, format="json").status_code == 403
    again = in_session(world.people.charlie).post("/api/v1/reports", body, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "already-reported")


@pytest.mark.parametrize(("name", "about"), [("bob", "bob"), ("bob", "lab/small@first")])
def test_nobody_reports_what_is_their_own(
    world: World, first: Checkpoint, name: str, about: str
) -> None:
    del first
    with pytest.raises(NothingToReport, match="expected what is somebody else's"):
        reported(about, getattr(world.people, name))
    assert not Case.objects.exists()


def test_a_checkpoint_is_reported_for_its_own_rules(world: World, first: Checkpoint) -> None:
    """Of that version: what came later, its owner never put it under."""
    conduct.publish_shipped()
    subject = subjects.named(first.full_name, world.people.charlie)
    for other in map(conduct_queries.to_accept, ("openmdw", first.conduct.policy_id)):
        clause = str(other.document["clauses"][0]["id"])
        said = Accusation(version=other, clause=clause, words="It did.")
        with pytest.raises(NothingToReport, match=rf"models@1\.0, found of {other}"):
            reporting.report(subject, said, by=world.people.charlie)
    assert not Case.objects.exists()


def test_somebody_who_has_left_is_not_reported(world: World) -> None:
    accounts.remove_member(world.people.lab, world.people.bob, by=world.people.alice)
    world.people.bob.is_active = False
    world.people.bob.save()
    with pytest.raises(NothingToReport):
        subjects.named("bob", world.people.charlie)
