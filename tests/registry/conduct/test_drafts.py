# SPDX-License-Identifier: Apache-2.0
"""A version is written by those who run the registry, and published by two of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction

from assay.signing.policies import Aim, Deed
from registry.accounts import sanctioning
from registry.accounts import services as accounts
from registry.accounts.queries import User
from registry.api.problems import InvalidRequest
from registry.audit.models import AuditRow
from registry.conduct import checking, drafting, queries
from registry.conduct.errors import (
    DraftChanged,
    DraftUnsound,
    NotFound,
    NotProposed,
    NotStaff,
    TakesTwo,
    VersionImmutable,
)
from registry.conduct.models import Draft, PolicyVersion
from registry.conduct.written import Kind, WrittenClause, WrittenRule
from registry.ledger import queries as ledger
from tests.registry.conduct.house import House, proposed, said, save, worded, written
from tests.registry.conduct.published import first_version, forbids, house_rules, publish
from tests.registry.people import browser


def test_a_draft_repeats_the_newest_version(house: House, draft: Draft) -> None:
    now = written(draft)
    assert (now.version, now.title, now.severity) == ("1.1", "House rules", "minor")
    assert [(each.id, each.text) for each in now.clauses] == [
        ("hr:1", "Take them off."),
        ("hr:2", "Cheat nobody."),
    ]
    rule = WrittenRule(kind=Kind.PROHIBITION, action=Deed.USE, aims=(Aim.FRAUD,))
    assert [each.rules for each in now.clauses] == [(), (rule,)]
    assert checking.faults(draft) == ()
    found = checking.readable(draft).policy
    assert found.prohibitions == queries.rules(house.first).prohibitions
    assert found.supersedes is not None
    assert found.supersedes.sha256 == house.first.sha256


def test_its_text_has_each_clause_word_for_word(draft: Draft) -> None:
    text = written(draft).text("house-rules")
    assert text == (
        "# House rules\n\n"
        f"Version 1.1, in effect from {written(draft).effective_on}. "
        "Its identifier is `house-rules@1.1`.\n\n"
        "**hr:1 Shoes.** Take them off.\n\n"
        "**hr:2 Kindness.** Cheat nobody.\n"
    )


def test_there_is_one_draft_of_a_policy(house: House, draft: Draft) -> None:
    assert drafting.begin("house-rules", by=house.emil) == draft
    assert drafting.draft_of("house-rules") == draft
    assert list(drafting.open_drafts()) == [draft]
    with pytest.raises(IntegrityError, match="one_open_draft"), transaction.atomic():
        Draft.objects.create(
            policy="house-rules", content={}, edited_by=house.dora, edited_at=draft.edited_at
        )
    with pytest.raises(NotFound):
        drafting.begin("none", by=house.dora)


def test_two_people_publish_a_version(house: House, draft: Draft) -> None:
    save(draft, worded(draft, "Cheat nobody, please."), house.dora)
    version = drafting.publish(draft, proposed(draft, house.dora), by=house.emil)
    assert str(version) == "house-rules@1.1"
    assert queries.before(version) == house.first
    assert "**hr:2 Kindness.** Cheat nobody, please.\n" in version.text
    assert ledger.is_included(version.statement)
    assert drafting.draft_of("house-rules") is None
    kept = Draft.objects.get()
    assert (kept.proposed_by, kept.published_by, kept.version) == (house.dora, house.emil, version)
    rows = AuditRow.objects.filter(subject__startswith="house-rules").order_by("id")
    assert [(row.actor, row.action) for row in rows[1:]] == [
        ("user:dora", "conduct.draft"),
        ("user:dora", "conduct.draft"),
        ("user:dora", "conduct.propose"),
        ("user:emil", "conduct.publish"),
    ]
    assert rows[4].details["proposed_by"] == "user:dora"
    assert rows[4].details["sha256"] == version.sha256


def test_the_first_version_of_a_policy_is_written_and_published(house: House) -> None:
    draft = drafting.begin_first("garden-rules", "Garden rules", by=house.dora)
    assert said(draft) == {("", ""): "expected at least one, and no id twice, found []"}
    clause = WrittenClause(key="0", id="gr:1", title="Quiet", text="After ten.")
    save(draft, written(draft).put(clause), house.emil)
    version = drafting.publish(draft, proposed(draft, house.emil), by=house.dora)
    assert (str(version), queries.before(version)) == ("garden-rules@1.0", None)


@pytest.mark.parametrize("policy", ["new", "Garden", "a" * 65, "", "house-rules", "a b"])
def test_an_id_that_cannot_be_or_is_given_begins_nothing(house: House, policy: str) -> None:
    with pytest.raises(InvalidRequest):
        drafting.begin_first(policy, "Garden rules", by=house.dora)
    assert not Draft.objects.exists()


def test_whoever_proposed_it_does_not_publish_it(house: House, draft: Draft) -> None:
    digest = proposed(draft, house.dora)
    with pytest.raises(TakesTwo):
        drafting.publish(draft, digest, by=house.dora)
    with pytest.raises(IntegrityError, match="takes_two"), transaction.atomic():
        Draft.objects.update(published_by=house.dora, version=house.first)
    with pytest.raises(IntegrityError, match="takes_two"), transaction.atomic():
        Draft.objects.update(published_by=house.emil)
    assert PolicyVersion.objects.get() == house.first


def test_what_nobody_proposed_is_not_published(house: House, draft: Draft) -> None:
    digest = checking.readable(draft).policy.sha256
    for asked in ("", digest):
        with pytest.raises(NotProposed):
            drafting.publish(draft, asked, by=house.emil)
    assert PolicyVersion.objects.get() == house.first


def test_one_space_more_is_not_what_was_proposed(house: House, draft: Draft) -> None:
    digest = proposed(draft, house.dora)
    save(draft, worded(draft, "Cheat  nobody."), house.dora)
    with pytest.raises(NotProposed, match="a proposal by somebody"):
        drafting.publish(draft, digest, by=house.emil)
    assert proposed(draft, house.dora) != digest
    with pytest.raises(NotProposed, match="which was proposed, found another"):
        drafting.publish(draft, digest, by=house.emil)
    assert PolicyVersion.objects.get() == house.first


def test_what_was_changed_behind_the_proposal_is_not_published(house: House, draft: Draft) -> None:
    digest = proposed(draft, house.dora)
    Draft.objects.update(content=worded(draft, "Cheat  nobody.").to_row())
    with pytest.raises(NotProposed, match="found another"):
        drafting.publish(draft, digest, by=house.emil)


def test_a_proposal_is_taken_back(house: House, draft: Draft) -> None:
    digest = proposed(draft, house.dora)
    for _ in range(2):
        drafting.take_back(draft, revision=draft.revision, by=house.emil)
    with pytest.raises(NotProposed):
        drafting.publish(draft, digest, by=house.emil)
    assert AuditRow.objects.filter(action="conduct.take-back").count() == 1


def test_who_runs_the_registry_no_more_proposed_nothing(house: House, draft: Draft) -> None:
    digest = proposed(draft, house.dora)
    User.objects.filter(pk=house.dora.pk).update(is_staff=False)
    with pytest.raises(NotProposed):
        drafting.publish(draft, digest, by=house.emil)


def test_nobody_overwrites_what_they_have_not_seen(house: House, draft: Draft) -> None:
    theirs = worded(draft, "Cheat nobody at all.")
    drafting.save(draft, theirs, revision=1, by=house.emil)
    changes: tuple[Callable[[], None], ...] = (
        lambda: drafting.save(draft, written(draft), revision=1, by=house.dora),
        lambda: drafting.go_on(draft, revision=1, by=house.dora),
        lambda: drafting.propose(draft, revision=1, by=house.dora),
        lambda: drafting.discard(draft, revision=1, by=house.dora),
    )
    for change in changes:
        with pytest.raises(DraftChanged, match="found 2, which emil saved"):
            change()
    draft.refresh_from_db()
    assert written(draft) == theirs


def test_a_draft_that_ended_is_not_changed(house: House, draft: Draft) -> None:
    drafting.discard(draft, revision=1, by=house.emil)
    with pytest.raises(DraftChanged, match="found none"):
        drafting.save(draft, written(draft), revision=1, by=house.dora)
    assert not Draft.objects.exists()


ACTS: tuple[Callable[[Draft, User], object], ...] = (
    lambda _, by: drafting.begin("house-rules", by=by),
    lambda _, by: drafting.begin_first("garden-rules", "Garden", by=by),
    lambda draft, by: drafting.save(draft, written(draft), revision=1, by=by),
    lambda draft, by: drafting.go_on(draft, revision=1, by=by),
    lambda draft, by: drafting.propose(draft, revision=1, by=by),
    lambda draft, by: drafting.take_back(draft, revision=1, by=by),
    lambda draft, by: drafting.publish(draft, draft.sha256, by=by),
    lambda draft, by: drafting.discard(draft, revision=1, by=by),
)


def test_only_those_who_run_the_registry_write(house: House, draft: Draft) -> None:
    gone = accounts.create_user("gone", is_staff=True)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    digest = proposed(draft, house.dora)
    for person in (house.people.alice, User.objects.get(pk=gone.pk)):
        for act in ACTS:
            with pytest.raises(NotStaff):
                act(draft, person)
    assert (Draft.objects.get().sha256, PolicyVersion.objects.get()) == (digest, house.first)


def test_a_version_that_came_meanwhile_is_gone_on_from(
    house: House, draft: Draft, tmp_path: Path
) -> None:
    digest = proposed(draft, house.dora)
    second = publish(tmp_path, house_rules("1.1", house.first, title="Rules of this house"))
    assert "to supersede 1.1" in said(draft)["", ""]
    with pytest.raises(DraftUnsound, match="found 1"):
        drafting.propose(draft, revision=draft.revision, by=house.dora)
    drafting.go_on(draft, revision=draft.revision, by=house.dora)
    draft.refresh_from_db()
    assert (draft.base, draft.proposed_by) == (second, None)
    assert said(draft) == {("", ""): "expected a number after 1.1, found 1.1"}
    save(draft, replace(written(draft), version="1.2"), house.dora)
    assert proposed(draft, house.dora) != digest
    assert drafting.publish(draft, draft.sha256, by=house.emil).version == "1.2"


def test_what_was_published_under_its_number_is_not_replaced(
    house: House, draft: Draft, tmp_path: Path
) -> None:
    digest = proposed(draft, house.dora)
    publish(tmp_path, house_rules("1.1", house.first, title="Rules of this house"))
    with pytest.raises(VersionImmutable, match="to say what it said before"):
        drafting.publish(draft, digest, by=house.emil)
    assert queries.version("house-rules", "1.1").title == "Rules of this house"


def test_more_clauses_than_a_policy_has_are_not_kept(house: House, draft: Draft) -> None:
    many = tuple(WrittenClause(key=str(each), id=f"hr:{each}") for each in range(201))
    with pytest.raises(InvalidRequest, match="at most 200 clauses, found 201"):
        drafting.save(draft, replace(written(draft), clauses=many), revision=1, by=house.dora)
    assert len(written(draft).clauses) == 2


def test_clauses_are_moved_taken_out_and_found_by_their_keys(draft: Draft) -> None:
    now = written(draft)
    one, two = now.clauses
    assert now.moved(one.key, 1).clauses == now.moved(two.key, -1).clauses == (two, one)
    assert now.moved(one.key, -1) == now.moved(two.key, 1) == now.moved("none", 1) == now
    assert now.without(one.key).clauses == (two,)
    assert now.put(one) == now
    assert now.without(one.key).put(one).clauses == (two, one)


def test_the_form_without_rules_is_gone_on_from(house: House) -> None:
    before = first_version()
    draft = drafting.begin(before.policy_id, by=house.dora)
    assert checking.faults(draft) == ()
    found = checking.readable(draft).policy
    assert (found.clauses, found.prohibitions) == (queries.rules(before).clauses, ())


def test_rules_of_every_kind_come_out_of_a_draft_as_they_went_in(
    house: House, tmp_path: Path
) -> None:
    rules = {
        "severity": "material",
        "permission": [{"assay:clause": "hr:1", "action": "derive"}],
        "prohibition": [
            forbids("distribute"),
            forbids("assay:generate-text", "assay:fraud", "assay:harassment"),
        ],
        "obligation": [{"assay:clause": "hr:1", "action": "nextPolicy"}],
    }
    second = publish(tmp_path, house_rules("2.0", house.first, **rules))
    before = queries.rules(second)
    found = checking.readable(drafting.begin("house-rules", by=house.dora)).policy
    assert found.permissions == before.permissions
    assert found.prohibitions == before.prohibitions
    assert found.obligations == before.obligations


def test_who_is_suspended_writes_no_rules(house: House, draft: Draft) -> None:
    """Nor is what they proposed published; a policy binds others."""
    digest = proposed(draft, house.dora)
    sanctioning.suspend(house.dora.namespace, case=uuid.uuid4(), until=None)
    with pytest.raises(NotProposed, match="by somebody who runs this registry"):
        drafting.publish(draft, digest, by=house.emil)
    with pytest.raises(NotStaff):
        drafting.begin("house-rules", by=house.dora)
    assert browser(house.dora).get(draft.path).status_code == 404
    assert PolicyVersion.objects.get() == house.first
