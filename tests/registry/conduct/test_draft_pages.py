# SPDX-License-Identifier: Apache-2.0
"""The pages on which the rules are written: plain forms, for those who run the registry alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.http import HttpResponse, HttpResponseBase
from django.test import Client

from registry.accounts import services as accounts
from registry.accounts.queries import User
from registry.conduct import drafting, forms, services
from registry.conduct.models import Draft, PolicyVersion
from registry.conduct.written import Written
from tests.registry.conduct.house import House
from tests.registry.conduct.published import first_version, house_rules, publish
from tests.registry.people import browser

EDIT = "/conduct/house-rules/edit"
PAGES = ("/conduct/new", EDIT, f"{EDIT}/clause", f"{EDIT}/preview")


@pytest.fixture
def first(house: House) -> PolicyVersion:
    return house.first


@pytest.fixture
def dora(house: House) -> User:
    return house.dora


@pytest.fixture
def emil(house: House) -> User:
    return house.emil


def keys(draft: Draft) -> list[str]:
    draft.refresh_from_db()
    return [each.key for each in Written.of_row(draft.content).clauses]


def ids(draft: Draft) -> list[str]:
    draft.refresh_from_db()
    return [each.id for each in Written.of_row(draft.content).clauses]


def post(client: Client, path: str, draft: Draft, **sent: object) -> HttpResponseBase:
    """A form of the newest revision."""
    draft.refresh_from_db()
    return client.post(path, {"revision": draft.revision, **sent})


def said(answer: HttpResponseBase) -> str:
    assert isinstance(answer, HttpResponse)
    return answer.content.decode()


def page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


HEAD = {
    "title": "Rules of this house",
    "version": "1.1",
    "severity": "minor",
    "effective_on": "2026-12-01",
    "licence": "",
}


def test_others_find_no_such_page(house: House, draft: Draft) -> None:
    alice = house.people.alice
    gone = accounts.create_user("gone", is_staff=True)
    before = page(browser(alice), "/conduct/house-rules")
    clients = [browser(alice), browser(gone)]
    User.objects.filter(pk=gone.pk).update(is_active=False)
    for path in (*PAGES, f"{EDIT}/clause/{keys(draft)[0]}"):
        assert clients[0].get(path).status_code == 404
        assert post(clients[0], path, draft, decision="discard").status_code == 404
        for nobody in (clients[1], browser(None)):  # Django knows nobody who is not active
            assert nobody.get(path)["Location"].startswith("/login?next=")
    assert Draft.objects.get() == draft
    assert EDIT not in before
    assert "/conduct/new" not in page(browser(alice), "/conduct")


def test_the_next_version_is_begun_from_the_policys_page(dora: User) -> None:
    client = browser(dora)
    assert EDIT in page(client, "/conduct/house-rules")
    assert "/conduct/new" in page(client, "/conduct")
    assert "Begin with version 1.0" in page(client, EDIT)
    assert not Draft.objects.exists()
    assert client.post(EDIT, {"decision": "discard"}).status_code == 200  # of a draft that is gone
    assert not Draft.objects.exists()
    assert client.post(EDIT, {"decision": "begin"})["Location"] == EDIT
    assert "Draft of house-rules" in page(client, EDIT)
    assert EDIT in page(client, "/conduct/new")
    for path in ("/conduct/none/edit", "/conduct/none/edit/preview", f"{EDIT}/clause/none"):
        assert client.get(path).status_code == 404


def test_another_policy_is_begun(dora: User) -> None:
    client = browser(dora)
    answer = client.post("/conduct/new", {"id": "garden-rules", "title": "Garden rules"})
    assert answer["Location"] == "/conduct/garden-rules/edit"
    shown = page(client, answer["Location"])
    assert "no clause yet" in shown
    assert "at least one, and no id twice" in shown
    refused = client.post("/conduct/new", {"id": "Garden", "title": "Garden rules"})
    assert refused.status_code == 400
    assert "words of a-z and 0-9" in refused.content.decode()
    assert 'value="Garden rules"' in refused.content.decode()


def test_what_stands_above_the_clauses_is_kept_as_it_is(dora: User, draft: Draft) -> None:
    client = browser(dora)
    sent = {**HEAD, "version": "one", "decision": "head"}
    assert post(client, EDIT, draft, **sent)["Location"] == EDIT
    shown = page(client, EDIT)
    assert 'value="Rules of this house"' in shown
    assert 'id="version-fault"' in shown
    assert "expected a version such as 1.0, found &#x27;one&#x27;" in shown
    assert shown.count("aria-invalid") == 1
    refused = post(client, EDIT, draft, **{**sent, "severity": "grave"})
    assert refused.status_code == 400


def test_a_clause_is_added_edited_moved_and_removed(dora: User, draft: Draft) -> None:
    client, path = browser(dora), f"{EDIT}/clause"
    typed = {"id": " hr:3 ", "title": "Quiet", "text": "After ten.\r\nNot a\x00 word."}
    answer = post(client, path, draft, **typed, decision="save")
    added = keys(draft)[-1]
    assert answer["Location"] == f"{EDIT}#{added}"
    found = Written.of_row(Draft.objects.get().content).clauses[-1]
    assert (found.id, found.text) == ("hr:3", "After ten. Not a word.")
    sent = {"says-0": "prohibition:use", "aims-0": ["assay:fraud", "assay:exposure"]}
    more = post(client, f"{path}/{added}", draft, **typed, **sent, decision="more")
    assert more["Location"] == f"{path}/{added}"
    shown = page(client, more["Location"])
    assert '<option value="prohibition:use" selected>' in shown
    assert shown.count("checked") == 2
    assert 'name="says-1"' in shown
    overview = page(client, EDIT)
    assert "Forbids</strong> using it for exposing people, fraud" in overview
    post(client, EDIT, draft, key=added, decision="up")
    assert ids(draft) == ["hr:1", "hr:3", "hr:2"]
    post(client, EDIT, draft, key=added, decision="down")
    assert ids(draft) == ["hr:1", "hr:2", "hr:3"]
    post(client, EDIT, draft, key=added, decision="remove")
    assert ids(draft) == ["hr:1", "hr:2"]


@pytest.mark.parametrize(
    "sent",
    [
        {"says-0": "prohibition"},
        {"says-0": "prohibition:burn"},
        {"says-0": "wish:use"},
        {"says-0": "prohibition:use", "aims-0": ["fun"]},
    ],
)
def test_a_rule_that_is_of_no_list_is_not_kept(
    dora: User, draft: Draft, sent: dict[str, object]
) -> None:
    typed = {"id": "hr:3", "title": "Quiet", "text": "After ten."}
    answer = post(browser(dora), f"{EDIT}/clause", draft, **typed, **sent)
    assert answer.status_code == 400
    assert ids(draft) == ["hr:1", "hr:2"]


def test_a_stale_form_says_who_saved_meanwhile_and_loses_nothing(
    dora: User, emil: User, draft: Draft
) -> None:
    path = f"{EDIT}/clause/{keys(draft)[1]}"
    typed = {"id": "hr:2", "title": "Kindness", "text": "Cheat nobody, ever."}
    theirs = {**typed, "text": "Cheat nobody, please."}
    post(browser(emil), path, draft, **theirs)
    client = browser(dora)
    answer = client.post(path, {**typed, "revision": 1})
    shown = answer.content.decode()
    assert answer.status_code == 409
    assert "which emil saved" in shown
    assert ">Cheat nobody, ever.</textarea>" in shown
    assert "<del>please.</del><ins>ever.</ins>" in shown
    assert 'name="revision" value="2"' in shown
    assert Written.of_row(Draft.objects.get().content).clauses[1].text == "Cheat nobody, please."
    head = client.post(EDIT, {**HEAD, "revision": 1, "decision": "head"})
    assert head.status_code == 409
    assert 'value="Rules of this house"' in head.content.decode()
    assert "now: House rules" in head.content.decode()
    for revision in ("", "x", "-1", "9" * 40):
        assert client.post(EDIT, {**HEAD, "revision": revision}).status_code == 409


def test_a_clause_that_was_removed_meanwhile_is_typed_again(
    dora: User, emil: User, draft: Draft
) -> None:
    key = keys(draft)[1]
    post(browser(emil), EDIT, draft, key=key, decision="remove")
    typed = {"id": "hr:2", "title": "Kindness", "text": "Cheat nobody, ever."}
    client, path = browser(dora), f"{EDIT}/clause/{key}"
    refused = client.post(path, {**typed, "revision": 1})
    assert refused.status_code == 409
    assert "Cheat nobody, ever.</textarea>" in refused.content.decode()
    post(client, path, draft, **typed)
    assert ids(draft) == ["hr:1", "hr:2"]


def test_the_preview_shows_what_changes_and_whom_it_binds(house: House, draft: Draft) -> None:
    alice = house.people.alice
    services.accept(house.first, alice.namespace, alice)
    client, path = browser(house.dora), f"{EDIT}/preview"
    clause = f"{EDIT}/clause/{keys(draft)[1]}"
    typed = {"id": "hr:2", "title": "Kindness", "text": "Cheat and harass nobody."}
    post(client, clause, draft, **typed, **{"says-0": "prohibition:use"})
    minor = page(client, path)
    assert "One thing keeps it from being published" in minor
    assert "call it material" in minor
    post(client, EDIT, draft, **{**HEAD, "severity": "material"}, decision="head")
    shown = page(client, path)
    assert "Cheat <ins>and harass </ins>nobody." in shown
    assert 'id="hr:1"' not in shown
    assert "<del>House rules</del><ins>Rules of this house</ins>" in shown
    assert "<del><strong" in shown
    assert "1 that stands by 1.0 or an earlier version until" in shown
    assert "**hr:2 Kindness.** Cheat and harass nobody." in shown
    assert "another order" not in shown
    post(client, EDIT, draft, key=keys(draft)[0], decision="down")
    assert "The clauses stand in another order." in page(client, path)


def test_it_takes_two_on_the_page_too(dora: User, emil: User, draft: Draft) -> None:
    path = f"{EDIT}/preview"
    assert post(browser(dora), path, draft, decision="propose")["Location"] == path
    digest = Draft.objects.get().sha256
    alone = page(browser(dora), path)
    assert "Publish it" not in alone
    assert "You proposed this." in alone
    sent = {"sha256": digest, "typed": "1.1", "decision": "publish"}
    refused = post(browser(dora), path, draft, **sent)
    assert refused.status_code == 403
    assert "somebody else than dora" in said(refused)
    shown = page(browser(emil), path)
    assert f'name="sha256" value="{digest}"' in shown
    for changed in ({"typed": ""}, {"typed": "1.0"}, {"decision": "x"}):
        assert post(browser(emil), path, draft, **{**sent, **changed}).status_code == 400
    assert post(browser(emil), path, draft, **{**sent, "sha256": "00"}).status_code == 409
    assert PolicyVersion.objects.count() == 1
    answer = post(browser(emil), path, draft, **sent)
    assert answer["Location"] == "/conduct/house-rules/1.1"
    assert "1.1" in page(browser(None), "/conduct/house-rules/1.1/changes")
    for late in (EDIT, path):
        assert post(browser(dora), late, draft, **sent).status_code in {200, 404}
    assert PolicyVersion.objects.count() == 2


def test_a_proposal_is_taken_back_and_a_draft_discarded(
    dora: User, emil: User, draft: Draft
) -> None:
    path = f"{EDIT}/preview"
    post(browser(dora), path, draft, decision="propose")
    post(browser(emil), path, draft, decision="take-back")
    assert "Propose it" in page(browser(dora), path)
    assert post(browser(dora), EDIT, draft, decision="discard")["Location"] == "/conduct"
    assert not Draft.objects.exists()


def test_an_open_draft_is_gone_on_from_the_newest_version(
    first: PolicyVersion, dora: User, draft: Draft, tmp_path: Path
) -> None:
    publish(tmp_path, house_rules("1.1", first, title="Rules of this house"))
    client = browser(dora)
    assert "was published since this was begun" in page(client, EDIT)
    post(client, EDIT, draft, decision="go-on")
    shown = page(client, EDIT)
    assert "was published since" not in shown
    assert "expected a number after 1.1, found 1.1" in shown


def test_a_clause_with_more_rules_than_a_form_has_is_left_as_it_is(
    first: PolicyVersion, dora: User, tmp_path: Path
) -> None:
    deeds = ("derive", "distribute", "assay:commercial-use", "assay:generate-text")
    more = [*deeds, "assay:generate-image", "assay:sign-output"]
    rules = [{"assay:clause": "hr:1", "action": action} for action in more]
    publish(tmp_path, house_rules("1.1", first, severity="material", prohibition=rules))
    draft = drafting.begin("house-rules", by=dora)
    shown = page(browser(dora), f"{EDIT}/clause/{keys(draft)[0]}")
    assert "more rules than fit on a page" in shown
    assert "<textarea" not in shown
    assert len(rules) == forms.MAX_RULES + 1


def test_as_many_fields_as_a_form_can_have_are_taken(dora: User, draft: Draft) -> None:
    """Five rules, each with every purpose, are fewer fields than Django refuses."""
    client = browser(dora)
    shown = page(client, f"{EDIT}/clause")
    aims = re.findall(r'name="aims-0" value="([a-z:-]+)"', shown)
    assert len(aims) == 15
    deeds = ("use", "derive", "distribute", "assay:generate-text", "assay:generate-image")
    sent: dict[str, object] = {"id": "hr:3", "title": "Much", "text": "All of it."}
    for number, deed in enumerate(deeds):
        sent |= {f"says-{number}": f"prohibition:{deed}", f"aims-{number}": aims}
    answer = post(client, f"{EDIT}/clause", draft, **sent, decision="save", csrfmiddlewaretoken="x")
    assert answer.status_code == 302
    draft.refresh_from_db()
    found = Written.of_row(draft.content).clauses[-1]
    assert [len(each.aims) for each in found.rules] == [15] * 5


def test_the_code_that_ships_can_be_edited(dora: User) -> None:
    client, before = browser(dora), first_version()
    path = f"/conduct/{before.policy_id}/edit"
    client.post(path, {"decision": "begin"})
    shown = page(client, path)
    assert shown.count("Move coc:") == 2 * len(before.document["clauses"]) - 2
