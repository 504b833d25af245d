# SPDX-License-Identifier: Apache-2.0
"""One version follows another: by its digest, and saying honestly what is new."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.test import Client

from assay.signing import policies
from registry.audit.models import AuditRow
from registry.conduct import queries, services
from registry.conduct.errors import WrongSuccession
from registry.conduct.models import PolicyVersion
from tests.registry.conduct.published import CLAUSES, first_version, forbids, house_rules, publish
from tests.running import Authority

pytestmark = pytest.mark.django_db


@pytest.fixture
def first(authority: Authority, tmp_path: Path) -> PolicyVersion:
    return publish(tmp_path, house_rules("1.0", None, severity="material"))


def test_what_ships_is_published_in_order(authority: Authority) -> None:
    published = services.publish_shipped()
    assert [str(each) for each in published] == [
        "community-language-models@1.0",
        "community-language-models@1.1",
        "openmdw@1.1",
        "openrail-m@1.0",
    ]
    assert queries.default() == published[1]
    assert [queries.before(each) for each in published] == [None, published[0], None, None]
    assert queries.rules(published[0]).clauses == queries.rules(published[1]).clauses


def test_the_use_restrictions_of_openrail_m_are_all_there(authority: Authority) -> None:
    rules = queries.rules(services.publish_shipped()[3])
    forbidden = [rule.clause for rule in rules.prohibitions]
    assert forbidden == [f"rail:{letter}" for letter in "abcdefghijklm"]
    aims = [aim for rule in rules.prohibitions for aim in rule.aims]
    assert len(aims) == len(set(aims)) == len(forbidden)


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "The rules of this house"},
        {"prohibition": []},
        {"prohibition": [forbids("assay:generate-text", "assay:fraud")]},
        {"severity": "material", "prohibition": [forbids("use")]},
    ],
    ids=["other words", "nothing forbidden", "less forbidden", "more forbidden, and said so"],
)
def test_a_version_may_follow(
    first: PolicyVersion, tmp_path: Path, changes: dict[str, object]
) -> None:
    second = publish(tmp_path, house_rules("1.1", first, **changes))
    assert publish(tmp_path, house_rules("1.1", first, **changes)) == second
    assert queries.before(second) == first


WRONG: dict[str, tuple[dict[str, object], str]] = {
    "supersedes nothing": ({"supersedes": None}, "to supersede 1.0, sha256:.*found none"),
    "supersedes another": (
        {"supersedes": {"version": "1.0", "sha256": "00" * 32}},
        "to supersede 1.0, sha256:.*found 1.0, sha256:0000",
    ),
    "more is forbidden": ({"prohibition": [forbids("use")]}, "found hr:2: call it material"),
    "something is demanded": (
        {"obligation": [{"assay:clause": "hr:1", "action": "inform"}]},
        "found hr:1: call it material",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_version_that_does_not_follow_is_refused(
    first: PolicyVersion, tmp_path: Path, wrong: str
) -> None:
    changes, expected = WRONG[wrong]
    with pytest.raises(WrongSuccession, match=expected):
        publish(tmp_path, house_rules("1.1", first, **changes))
    assert PolicyVersion.objects.get() == first
    assert AuditRow.objects.filter(action="conduct.publish").count() == 1


def test_a_number_that_is_not_larger_is_refused(first: PolicyVersion, tmp_path: Path) -> None:
    tenth = publish(tmp_path, house_rules("1.10", first))
    with pytest.raises(WrongSuccession, match=r"a number after 1\.10, found 1\.9"):
        publish(tmp_path, house_rules("1.9", tenth))


def test_the_first_follows_nothing(authority: Authority, tmp_path: Path) -> None:
    unknown = {"version": "0.9", "sha256": "00" * 32}
    with pytest.raises(WrongSuccession, match=r"expected house-rules@0\.9 before it, found none"):
        publish(tmp_path, house_rules("1.0", None, supersedes=unknown))


def test_the_form_without_rules_may_only_begin(first: PolicyVersion, tmp_path: Path) -> None:
    told = ("id", "title", "effective_at", "clauses")
    without = {name: value for name, value in house_rules("1.1", first).items() if name in told}
    older = {**without, "type": policies.DOCUMENT_V1, "version": "1.1", "severity": "major"}
    with pytest.raises(WrongSuccession, match="expected a document in the form https://assay"):
        publish(tmp_path, older)


def test_after_the_form_without_rules_a_minor_version_keeps_its_words(
    authority: Authority, tmp_path: Path
) -> None:
    before = first_version()
    shipped = json.loads((services.SHIPPED / before.policy_id / "1.1.json").read_bytes())
    clauses = [{**shipped["clauses"][0], "text": "Train on anything."}, *shipped["clauses"][1:]]
    with pytest.raises(WrongSuccession, match="the clauses of the version before, word for word"):
        publish(tmp_path, {**shipped, "clauses": clauses})


def test_pages_show_versions_rules_and_what_changed(
    first: PolicyVersion, tmp_path: Path, client: Client
) -> None:
    clauses = [CLAUSES[0], {**CLAUSES[1], "text": "Cheat and harass nobody."}]
    more = [forbids("use", "assay:fraud", "assay:harassment")]
    changes = {"severity": "material", "clauses": clauses, "prohibition": more}
    second = publish(tmp_path, house_rules("2.0", first, **changes))
    page = client.get(second.path).content.decode()
    assert '<section id="hr:2">' in page
    assert "Forbids</strong> using it for fraud, harassment" in page
    assert f'href="{second.path}/changes"' in page
    assert "newer version" not in page
    assert f'<a href="{second.path}">2.0</a>' in client.get(first.path).content.decode()
    changed = client.get(f"{second.path}/changes").content.decode()
    assert 'id="hr:1"' not in changed
    assert "Cheat <ins>and harass </ins>nobody." in changed
    assert changed.count("<del>") == changed.count("<ins>") - 1 == 1
    listed = client.get("/conduct/house-rules").content.decode()
    assert listed.index(second.path) < listed.index(first.path)
    for path in (f"{first.path}/changes", "/conduct/none", "/conduct/house-rules/9.9/changes"):
        assert client.get(path).status_code == 404


def test_a_title_and_a_licence_that_changed_are_shown(
    first: PolicyVersion, tmp_path: Path, client: Client
) -> None:
    """They change nothing of a clause, and whoever reads what changed has to see them."""
    same = publish(tmp_path, house_rules("1.1", first))
    other = house_rules("1.2", same, licence="MIT", title="House customs")
    changed = publish(tmp_path, other)
    shown = client.get(f"{changed.path}/changes").content.decode()
    assert "House <del>rules</del><ins>customs</ins>" in shown
    assert "Licence: <code><ins>MIT</ins></code>" in shown
    assert "Licence" not in client.get(f"{same.path}/changes").content.decode()


def test_a_clause_that_came_or_went_is_marked_as_a_whole(
    first: PolicyVersion, tmp_path: Path, client: Client
) -> None:
    clauses = [CLAUSES[1], {"id": "hr:3", "title": "Quiet", "text": "After ten."}]
    second = publish(tmp_path, house_rules("1.1", first, clauses=clauses))
    changed = client.get(f"{second.path}/changes").content.decode()
    assert "<ins>After ten.</ins>" in changed
    assert "<del>Take them off.</del>" in changed
    assert "Cheat" not in changed
