# SPDX-License-Identifier: Apache-2.0
"""What was signed in a name is exported by who decides for it, whole, and by nobody else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.utils import timezone

from assay.signing import periods
from assay.signing.bundle import Bundle
from assay.signing.canonical import instant_text
from assay.signing.periods import Examined
from assay.signing.revocation import Reason
from assay.signing.statements import ACCEPTANCE_V1, ACCEPTANCE_V2, Statement, party_commitment
from registry.accounts.models import User
from registry.audit.models import AuditRow
from registry.authority import revocations
from registry.ledger import queries as ledger
from registry.ledger import services as ledger_services
from registry.ledger import spans, stored
from registry.outputs import services as outputs
from registry.periods import limits
from tests.registry.outputs import world
from tests.registry.people import client_of, invite
from tests.registry.pool.world import Lab, found
from tests.running import Authority
from tests.until import until

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/api/v1/period-exports"
PAGE = "/settings/exports"


@pytest.fixture
def lab(authority: Authority) -> Lab:
    """Alice's lab, of which she published a checkpoint; Bob asserts two outputs of it."""
    made = found(invite())
    checkpoint = world.published(made)
    for digest in ("1" * 64, "2" * 64):
        asked = {**world.asserted_of(checkpoint), "digests": {"sha256": digest}}
        assertion = outputs.Assertion.parse(asked)
        output = outputs.assert_content(assertion, by=made.people.bob)
        outputs.advance(output.pk)
    let_the_second_end()
    return made


def let_the_second_end() -> None:
    """Periods end with whole seconds: what was done in this one is of the next period."""
    now = timezone.now().replace(microsecond=0)
    until(lambda: timezone.now().replace(microsecond=0) > now)


@pytest.fixture(autouse=True)
def _nobody_asked_before() -> None:
    cache.clear()


def asked_for(name: str, **changes: object) -> dict[str, object]:
    now = timezone.now()
    since, ended = now - timedelta(hours=1), now.replace(microsecond=0)
    stated = {"since": instant_text(since), "until": instant_text(ended)}
    return {"name": name, **stated, **changes}


def export(person: User, name: str) -> list[bytes]:
    answer = client_of(person, "read").post(URL, asked_for(name), format="json")
    assert answer.status_code == 200, answer.content
    return list(b"".join(answer).splitlines(keepends=True))


def judged(lines: list[bytes], authority: Authority) -> Examined:
    found = periods.examine(lambda: iter(lines), trust=authority.trust_root)
    assert found.refused == []
    return found


def everything() -> Iterator[tuple[int, bytes]]:
    return enumerate(stored.bodies(0, spans.signed_size()))


def test_it_holds_all_that_was_signed_in_a_name_and_nothing_else(
    lab: Lab, authority: Authority
) -> None:
    found = judged(export(lab.people.bob, "bob"), authority)
    assert found.counts["statement"] == 2
    assert found.counts["certificate"] == 1
    assert found.counts["acceptance"] >= 1
    assert list(periods.missing(found, everything())) == []
    of_lab = judged(export(lab.people.alice, "lab"), authority)
    assert of_lab.counts["statement"] >= 2
    assert found.indexes.isdisjoint(of_lab.indexes)
    row = AuditRow.objects.filter(action="period.export").order_by("pk").first()
    assert row is not None
    assert (row.subject, row.actor) == ("bob", lab.people.bob.actor)


def test_a_line_that_is_left_out_is_missed(lab: Lab, authority: Authority) -> None:
    found = judged(export(lab.people.bob, "bob"), authority)
    left_out = max(found.indexes)
    found.indexes.remove(left_out)
    assert list(periods.missing(found, everything())) == [left_out]


def test_the_ledger_names_nobody_for_it(lab: Lab) -> None:
    export(lab.people.bob, "bob")
    (signed,) = ledger.Statement.objects.filter(predicate_type__endswith="/period-export/v1")
    assert b"bob" not in bytes(signed.payload)


def test_acceptances_open_for_their_party(lab: Lab) -> None:
    lines = [json.loads(each) for each in export(lab.people.bob, "bob")]
    accepted = next(each for each in lines if each.get("line") == "acceptance")
    bundle = Bundle.parse(accepted["bundle"])
    statement = Statement.parse(bundle.envelope.payload)
    assert statement.predicate_type in {ACCEPTANCE_V1, ACCEPTANCE_V2}
    opened = party_commitment(bytes.fromhex(accepted["salt"]), accepted["party"])
    assert opened in json.dumps(statement.predicate) + str(statement.subjects)


@pytest.mark.parametrize("name", ["bob", "lab", "nobody", "conduct"])
def test_to_everybody_else_there_is_no_such_name(lab: Lab, name: str) -> None:
    answer = client_of(lab.people.charlie, "read").post(URL, asked_for(name), format="json")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert not AuditRow.objects.filter(action="period.export").exists()


def test_a_member_who_is_no_owner_has_none_of_an_organisations(lab: Lab) -> None:
    answer = client_of(lab.people.bob, "read").post(URL, asked_for("lab"), format="json")
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"until": "2999-01-01T00:00:00Z"},
        {"since": "2999-01-01T00:00:00Z"},
        {"since": "yesterday"},
        {"more": 1},
    ],
)
def test_a_period_is_over_and_well_formed(lab: Lab, changes: dict[str, object]) -> None:
    asked = asked_for("bob", **changes)
    answer = client_of(lab.people.bob, "read").post(URL, asked, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-document")


def test_only_a_token_for_reading_opens_it(lab: Lab) -> None:
    answer = client_of(lab.people.bob, "outputs").post(URL, asked_for("bob"), format="json")
    assert answer.status_code == 403
    assert Client().post(URL, asked_for("bob"), "application/json").status_code == 401


def test_a_person_has_so_many_in_an_hour(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits.ExportRate, "rate", "1/hour")
    export(lab.people.bob, "bob")
    answer = client_of(lab.people.bob, "read").post(URL, asked_for("bob"), format="json")
    assert answer.status_code == 429


def test_what_was_revoked_is_in_it_and_said(lab: Lab, authority: Authority) -> None:
    signed = ledger.Statement.objects.filter(predicate_type__endswith="/output/v1").first()
    assert signed is not None
    serial = f"{ledger.chain(signed).leaf.serial_number:x}"
    revocations.revoke(serial, Reason.SUPERSEDED)
    ledger_services.integrate()
    let_the_second_end()
    found = judged(export(lab.people.bob, "bob"), authority)
    assert found.counts["revocation"] == 1
    assert len(found.revoked) == 2


def test_what_is_not_kept_has_its_place(lab: Lab, authority: Authority) -> None:
    with transaction.atomic():
        ledger_services.blank([lab.project.owner.uri])
    found = judged(export(lab.people.alice, "lab"), authority)
    assert found.counts["erased"] >= 1
    assert list(periods.missing(found, everything())) == []


def test_the_page_asks_and_answers_a_file(lab: Lab, authority: Authority) -> None:
    browser = Client()
    browser.force_login(lab.people.alice)
    page = browser.get(PAGE).content.decode()
    assert ">lab<" in page
    assert "untrusted" in page
    today = timezone.now().date().isoformat()
    asked = {"name": "lab", "since": today, "until": today}
    answer = browser.post(PAGE, asked)
    assert answer["Content-Disposition"].startswith('attachment; filename="lab-')
    lines = b"".join(answer).splitlines(keepends=True)
    assert judged(lines, authority).head.name == "lab"
    assert browser.post(PAGE, {**asked, "name": "bob"}).status_code == 404
    assert browser.post(PAGE, {**asked, "since": "x"}).status_code == 400
    later = {**asked, "since": "2999-01-01", "until": "2999-01-02"}
    assert browser.post(PAGE, later).status_code == 400
    backwards = {**asked, "since": today, "until": "2020-01-01"}
    assert browser.post(PAGE, backwards).status_code == 400


def test_the_page_says_when_it_was_asked_too_often(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits.ExportRate, "rate", "1/hour")
    export(lab.people.alice, "lab")
    browser = Client()
    browser.force_login(lab.people.alice)
    today = timezone.now().date().isoformat()
    answer = browser.post(PAGE, {"name": "lab", "since": today, "until": today})
    assert answer.status_code == 429


def test_the_page_is_for_who_is_signed_in() -> None:
    assert Client().get(PAGE).status_code == 302
