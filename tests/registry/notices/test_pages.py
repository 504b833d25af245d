# SPDX-License-Identifier: Apache-2.0
"""Webhooks in a browser and through the API: made, tried, renewed, removed, and whose they are."""

from __future__ import annotations

from uuid import uuid4

import pytest

from registry.audit.models import AuditRow
from registry.catalog import services as catalog
from registry.catalog.models import Visibility
from registry.notices import delivering, queries, services, signatures
from registry.notices.api import WebhookSerializer
from registry.notices.models import Event, Hook
from registry.notices.services import Wanted
from tests.registry.catalog.world import World
from tests.registry.notices.conftest import Receiver
from tests.registry.people import browser, client_of, in_session

pytestmark = pytest.mark.django_db
PAGE, API = "/settings/webhooks", "/api/v1/webhooks"
URL = "https://ci.example/assay?key=1"


def form(**changed: str | list[str]) -> dict[str, str | list[str]]:
    return {"owner": "alice", "project": "lab/small", "url": URL, "events": Event.values, **changed}


def test_a_webhook_is_made_and_its_secret_shown_once(world: World) -> None:
    alice = browser(world.people.alice)
    made = alice.post(PAGE, form())
    hook = Hook.objects.get()
    secret = signatures.secret(hook)
    assert (made.status_code, secret in made.content.decode()) == (201, True)
    assert f'action="{PAGE}/{hook.pk}"' in made.content.decode()
    for path in (PAGE, f"{PAGE}/{hook.pk}"):
        page = alice.get(path).content.decode()
        assert "ci.example" in page
        assert secret not in page
    row = AuditRow.objects.get(action="webhook.create")
    assert (row.subject, row.details) == (
        "alice",
        {"webhook": str(hook.pk), "project": "lab/small"},
    )


def test_a_refused_form_is_shown_again(world: World) -> None:
    page = browser(world.people.alice).post(PAGE, form(url="http://ci.example/", project="lab/x"))
    assert page.status_code == 422
    assert "expected an address that begins with https://" in page.content.decode()
    assert 'value="lab/x"' in page.content.decode()


@pytest.mark.parametrize(
    ("changed", "status", "says"),
    [
        ({"owner": "lab"}, 403, "expected your own name, or one that you own, found 'lab'"),
        ({"project": "lab/none"}, 422, "project: expected a project, found none"),
        ({"events": []}, 422, "events: expected some of"),
        ({"events": ["project.burned"]}, 422, "events: expected some of"),
        ({"url": "https://10.0.0.1/"}, 422, "expected a host on the public internet"),
    ],
)
def test_what_cannot_be_made_says_why(
    world: World, changed: dict[str, str | list[str]], status: int, says: str
) -> None:
    page = browser(world.people.bob).post(PAGE, form(**{"owner": "bob", **changed}))
    assert page.status_code == status
    assert says in page.content.decode().replace("&#x27;", "'")
    assert not Hook.objects.exists()


def test_a_stranger_watches_nothing_private(world: World) -> None:
    catalog.show(world.project, Visibility.PRIVATE, by=world.people.alice)
    page = browser(world.people.charlie).post(PAGE, form(owner="charlie"))
    assert page.status_code == 422
    assert "found none called" in page.content.decode()


def test_a_name_has_so_many_and_no_more(world: World) -> None:
    alice = browser(world.people.alice)
    for _ in range(services.MOST_HOOKS):
        assert alice.post(PAGE, form()).status_code == 201
    assert alice.post(PAGE, form()).status_code == 409


def test_each_decision_does_what_it_says(world: World, receiver: Receiver, hook: Hook) -> None:
    alice, page = browser(world.people.alice), f"{PAGE}/{hook.pk}"
    alice.post(page, {"decision": "ping"})
    receiver.status, receiver.answer = 500, b"<b>no</b>"
    delivering.deliver()
    assert "Answered 500" in alice.get(page).content.decode()
    assert "&lt;b&gt;no&lt;/b&gt;" in alice.get(page).content.decode()
    before = signatures.secret(hook)
    renewed = alice.post(page, {"decision": "renew"}).content.decode()
    hook.refresh_from_db()
    assert before != signatures.secret(hook)
    assert signatures.secret(hook) in renewed
    delivering.switch_off(hook, "a test")
    assert "Switched off" in alice.get(page).content.decode()
    assert "One of your webhooks was switched off" in alice.get("/settings").content.decode()
    alice.post(page, {"decision": "on"})
    assert "Switched off" not in alice.get(page).content.decode()
    alice.post(page, {"decision": "remove"})
    assert not Hook.objects.exists()
    assert alice.get(page).status_code == 404


def test_anothers_webhook_is_not_there(world: World, receiver: Receiver, hook: Hook) -> None:
    for person in (world.people.bob, world.people.charlie):
        assert browser(person).get(f"{PAGE}/{hook.pk}").status_code == 404
        assert browser(person).post(f"{PAGE}/{hook.pk}", {"decision": "remove"}).status_code == 404
        assert in_session(person).get(f"{API}/{hook.pk}").status_code == 404
        assert in_session(person).post(f"{API}/{hook.pk}/secret").status_code == 404
    assert Hook.objects.exists()


def test_the_api_does_the_same(world: World) -> None:
    alice = in_session(world.people.alice)
    made = alice.post(API, form())
    assert (made.status_code, made["Cache-Control"]) == (201, "no-store")
    hook, secret = made.json()["webhook"], made.json()["secret"]
    assert signatures.secret(Hook.objects.get()) == secret
    assert (hook["owner"], hook["project"]) == ("alice", "lab/small")
    assert alice.get(API).json() == [hook]
    one = f"{API}/{hook['id']}"
    assert alice.get(one).json() == hook
    assert alice.post(f"{one}/secret").json()["secret"] != secret
    ping = alice.post(f"{one}/deliveries").json()
    assert (ping["kind"], ping["state"]) == ("ping", "waiting")
    assert [each["id"] for each in alice.get(f"{one}/deliveries").json()] == [ping["id"]]
    assert alice.post(f"{one}/on").status_code == 200
    assert alice.delete(one).status_code == 204
    assert alice.get(f"{API}/{uuid4()}").status_code == 404


def test_a_token_makes_none(world: World) -> None:
    client = client_of(world.people.alice, "read", "publish")
    assert client.post(API, form()).status_code == 403
    assert client.get(API).status_code == 403


def test_nothing_names_a_project_that_was_not_asked_whether_it_may(world: World) -> None:
    wanted = Wanted(owner="alice", project="lab/small", url=URL, events=Event.values)
    services.add(wanted, by=world.people.alice)
    with pytest.raises(AttributeError, match="is_seen"):
        _ = WebhookSerializer(Hook.objects.get()).data
    (shown,) = queries.hooks_of(world.people.alice)
    assert WebhookSerializer(shown).data["project"] == "lab/small"
