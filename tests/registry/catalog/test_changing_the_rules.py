# SPDX-License-Identifier: Apache-2.0
"""An owner puts a project under other rules: newer ones, or stricter, and never fewer."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.audit.models import AuditRow
from registry.catalog import queries, services
from registry.catalog.errors import MayNotGovern, RulesDropped
from registry.catalog.models import Project
from registry.conduct import queries as conduct
from registry.conduct import services as accepting
from registry.conduct.errors import NotAccepted, Superseded
from registry.conduct.queries import PolicyVersion
from tests.registry.catalog.world import World, by_person, publish
from tests.registry.conduct.published import replacing
from tests.registry.people import browser, client_of

pytestmark = pytest.mark.django_db
PAGE, API = "/lab/small/settings/access", "/api/v1/projects/lab/small/conduct"


@pytest.fixture
def newer(world: World, tmp_path: Path) -> PolicyVersion:
    """Which the laboratory has accepted."""
    found = replacing(tmp_path, "2.0", severity="material")
    accepting.accept(found, world.lab, world.people.alice)
    return found


def test_what_is_published_later_is_under_the_newer_rules(
    world: World, newer: PolicyVersion
) -> None:
    before = publish(by_person(world))
    services.put_under(world.project, newer, by=world.people.alice)
    services.put_under(world.project, newer, by=world.people.alice)
    project = queries.project("lab", "small")
    later = services.receive(by_person(world, "second", {"README.md": b"# Again\n"}))
    before.refresh_from_db()
    assert (before.conduct, project.conduct, later.conduct) == (world.conduct, newer, newer)
    rows = AuditRow.objects.filter(action="project.rule")
    assert [(row.actor, row.details) for row in rows] == [
        ("user:alice", {"from": "community-language-models@1.0", "to": str(newer)})
    ]


def test_only_owners_put_it_under_what_they_accepted(world: World, newer: PolicyVersion) -> None:
    people = world.people
    for person in (people.bob, people.charlie):
        with pytest.raises(MayNotGovern):
            services.put_under(world.project, newer, by=person)
    accepting.withdraw(newer, world.lab, people.alice)
    with pytest.raises(NotAccepted):
        services.put_under(world.project, newer, by=people.alice)
    assert Project.objects.get().conduct == world.conduct


def test_nothing_goes_back_to_rules_that_were_replaced(world: World, newer: PolicyVersion) -> None:
    services.put_under(world.project, newer, by=world.people.alice)
    with pytest.raises(Superseded, match=r"models@2\.0, which is in effect by now, found"):
        services.put_under(world.project, world.conduct, by=world.people.alice)


def test_rules_that_forbid_less_are_refused(world: World, newer: PolicyVersion) -> None:
    accepting.publish_version(accepting.SHIPPED / "openmdw", "1.1")
    permissive = conduct.version("openmdw", "1.1")
    accepting.accept(permissive, world.lab, world.people.alice)
    # Of rules that are words alone nobody knows what other rules keep.
    with pytest.raises(RulesDropped, match=r"all that community-language-models@1\.0 does"):
        services.put_under(world.project, permissive, by=world.people.alice)
    services.put_under(world.project, newer, by=world.people.alice)
    with pytest.raises(RulesDropped) as refused:
        services.put_under(world.project, permissive, by=world.people.alice)
    rules = conduct.rules(newer)
    kept = {each.duty for each in conduct.rules(permissive).obligations}
    expected = {each.clause for each in rules.prohibitions}
    expected |= {each.clause for each in rules.obligations if each.duty not in kept}
    assert {each.field for each in refused.value.errors} == expected
    assert Project.objects.get().conduct == newer


def test_on_the_page_an_owner_chooses_among_what_is_in_effect(
    world: World, newer: PolicyVersion
) -> None:
    alice = browser(world.people.alice)
    page = alice.get(PAGE).content.decode()
    assert f'<option value="{newer}" selected>' in page  # of the policy that it is under
    assert f'<option value="{world.conduct}"' not in page  # it was replaced
    assert alice.post(PAGE, {"decision": "rules", "rules": str(newer)}).status_code == 302
    assert f'<option value="{newer}" selected>' in alice.get(PAGE).content.decode()
    for wrong in ("", "x@1.0", str(world.conduct)):
        refused = alice.post(PAGE, {"decision": "rules", "rules": wrong})
        assert refused.status_code == 422
        assert 'role="alert"' in refused.content.decode()
    assert Project.objects.get().conduct == newer


def test_over_http(world: World, newer: PolicyVersion) -> None:
    alice = client_of(world.people.alice, "publish")
    body = {"id": newer.policy_id, "version": "2.0"}
    answer = alice.put(API, body)
    assert (answer.status_code, answer.json()) == (200, {**body, "sha256": newer.sha256})
    for who, wrong, status, code in (
        (alice, {**body, "version": "9.9"}, 404, "not-found"),
        (alice, {**body, "version": "1.0"}, 409, "conduct-superseded"),
        (alice, {}, 400, "invalid"),
        (client_of(world.people.bob, "publish"), body, 403, "may-not-govern"),
        (client_of(world.people.alice, "read"), body, 403, "scope-missing"),
        (client_of(None), body, 401, "authentication-required"),
    ):
        answer = who.put(API, wrong)
        assert (answer.status_code, answer.json()["code"]) == (status, code), wrong
