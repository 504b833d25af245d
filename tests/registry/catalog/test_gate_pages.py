# SPDX-License-Identifier: Apache-2.0
"""The pages and the API of gates: asking, answering, and what a stranger sees of the rest."""

from __future__ import annotations

import pytest
from django.test import Client

from registry.catalog import services
from registry.catalog.models import Gate, Project, Visibility
from registry.catalog.models.accesses import Access, AccessState
from registry.catalog.queries import gates
from registry.conduct import services as conduct
from tests.registry.catalog.world import World, accept, by_person, publish
from tests.registry.people import browser, client_of

pytestmark = pytest.mark.django_db
ASK, REQUESTS = "/lab/small/settings/ask", "/lab/small/settings/requests"
ACCESS = "/lab/small/settings/access"
API = "/api/v1/projects/lab/small/access"


@pytest.fixture
def world(world: World) -> World:
    """Charlie has accepted what the project is under."""
    accept(world, world.people.charlie)
    return world


@pytest.fixture
def project(world: World) -> Project:
    message = "Say who you are.\n\n<script>no</script>"
    return services.set_gate(world.project, Gate.ASKS, message, by=world.people.alice)


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_people_read_ask_and_are_told_the_answer(world: World, project: Project) -> None:
    charlie, alice = browser(world.people.charlie), browser(world.people.alice)
    page = text(charlie, ASK)
    assert "Say who you are." in page
    assert "<script>no" not in page
    assert charlie.post(ASK, {"said": "For my thesis."}).status_code == 302
    assert "has not answered yet" in text(charlie, ASK)
    assert "For my thesis." in text(alice, REQUESTS)
    assert "Who has access: 1 waits" in text(alice, "/lab/small")
    answer = {"person": "charlie", "decision": "refuse", "reason": "Not <b>now</b>."}
    assert alice.post(REQUESTS, answer).status_code == 302
    assert "Not &lt;b&gt;now" in text(charlie, ASK)
    assert alice.post(REQUESTS, {"person": "charlie", "decision": "grant"}).status_code == 302
    assert "You have access" in text(charlie, ASK)
    assert charlie.post(ASK, {"give-up": "1"}).status_code == 302
    assert "Ask for access" in text(charlie, ASK)


def test_who_has_not_accepted_the_rules_is_led_to_them(world: World, project: Project) -> None:
    conduct.withdraw(world.conduct, world.people.charlie.namespace, world.people.charlie)
    charlie = browser(world.people.charlie)
    page = text(charlie, ASK)
    assert f'<a class="button" href="{world.conduct.path}">Read and accept them</a>' in page
    assert "<textarea" not in page
    refused = charlie.post(ASK, {"said": "For my thesis."})
    assert refused.status_code == 403
    assert f"accept it at http://localhost:8000{world.conduct.path}" in refused.content.decode()
    assert not Access.objects.exists()


def test_who_is_not_signed_in_reads_and_is_led_to_sign_in(project: Project) -> None:
    assert "Sign in to ask" in text(Client(), ASK)
    assert Client().post(ASK, {})["Location"].startswith("/login?next=")


def test_a_member_is_told_that_there_is_nothing_to_ask_for(world: World, project: Project) -> None:
    bob = browser(world.people.bob)
    assert "You are in lab, and have the files" in text(bob, ASK)
    assert bob.post(ASK, {}).status_code == 409


def test_the_owner_lets_in_who_never_asked_and_is_told_what_is_wrong(
    world: World, project: Project
) -> None:
    alice = browser(world.people.alice)
    assert alice.post(REQUESTS, {"person": "charlie", "decision": "let-in"}).status_code == 302
    assert gates.admits(project, world.people.charlie)
    for said, status in (
        ({"person": "nobody", "decision": "grant"}, 404),
        ({"person": "charlie", "decision": "let-in"}, 409),
        ({"person": "charlie"}, 404),
    ):
        assert alice.post(REQUESTS, said).status_code == status


def test_requests_are_shown_to_owners_alone(world: World, project: Project) -> None:
    assert Client().get(REQUESTS).status_code == 302
    for person in (world.people.bob, world.people.charlie):
        assert browser(person).get(REQUESTS).status_code == 404


def test_the_owner_sets_the_gate_beside_who_sees_it(world: World) -> None:
    alice = browser(world.people.alice)
    said = {"decision": "gate", "gate": "automatic", "message": "Be kind."}
    assert alice.post(ACCESS, said)["Location"] == ACCESS
    now = Project.objects.get(pk=world.project.pk)
    assert (now.gate, now.gate_message) == ("automatic", "Be kind.")
    page = text(alice, ACCESS)
    assert REQUESTS in page
    assert "Be kind." in page
    assert alice.post(ACCESS, {**said, "gate": "ajar"}).status_code == 422
    assert alice.post(ACCESS, {**said, "message": "a" * 4001}).status_code == 422


def test_strangers_see_that_it_is_gated_and_where_to_ask(world: World, project: Project) -> None:
    published = publish(by_person(world))
    weights = published.manifest["files"][-1]["sha256"]
    for path in ("/lab/small", "/lab/small/first", f"/files?digest={weights}"):
        assert ASK in text(Client(), path)
        is_about_the_file = path.startswith("/files")
        assert (ASK in text(browser(world.people.bob), path)) is is_about_the_file
    assert "gated" in text(Client(), "/projects")
    assert "$ASSAY_TOKEN" in text(Client(), "/lab/small/first")


def test_of_a_private_project_there_is_nothing_to_ask_for(world: World, project: Project) -> None:
    services.show(project, Visibility.PRIVATE, by=world.people.alice)
    charlie = world.people.charlie
    assert browser(charlie).get(ASK).status_code == 404
    assert client_of(charlie, "publish").post(API).status_code == 404


def test_programs_ask_and_owners_answer_by_the_api(world: World, project: Project) -> None:
    charlie = client_of(world.people.charlie, "publish")
    alice = client_of(world.people.alice, "publish")
    asked = charlie.post(API, {"said": "For my thesis."}, format="json").json()
    assert (asked["state"], asked["has_access"], asked["gate"]) == ("asked", False, "asks")
    assert asked["ask_at"].endswith(ASK)
    (waiting,) = alice.get(f"{API}/requests?state=asked").json()["results"]
    assert (waiting["person"], waiting["said"]) == ("charlie", "For my thesis.")
    answer = {"person": "charlie", "state": "refused", "reason": "No."}
    assert alice.post(f"{API}/requests", answer, format="json").json()["decided_by"] == "alice"
    assert charlie.get(API).json()["reason"] == "No."
    answer = {"person": "charlie", "state": "granted"}
    assert alice.post(f"{API}/requests", answer, format="json").status_code == 200
    assert charlie.get(API).json()["has_access"] is True
    assert charlie.delete(API).status_code == 204
    assert charlie.get(API).json()["state"] is None
    assert alice.post(f"{API}/requests", answer, format="json").json()["state"] == "granted"


def test_the_api_refuses_who_may_not_and_says_what_is_wrong(world: World, project: Project) -> None:
    alice, bob = client_of(world.people.alice, "publish"), client_of(world.people.bob, "publish")
    gate = {"gate": "open"}
    assert bob.put(f"{API}/gate", gate, format="json").json()["code"] == "may-not-govern"
    assert bob.get(f"{API}/requests").json()["code"] == "may-not-govern"
    assert bob.post(API).json()["code"] == "already-admitted"
    assert client_of(None).post(API).status_code == 401
    assert client_of(world.people.charlie, "read").post(API).status_code == 403
    assert alice.get(f"{API}/requests?state=else").status_code == 400
    nobody = {"person": "nobody", "state": "granted"}
    assert alice.post(f"{API}/requests", nobody, format="json").json()["code"] == "access-unknown"
    assert alice.put(f"{API}/gate", gate, format="json").json() == {"gate": "open", "message": ""}
    answer = client_of(world.people.charlie, "publish").post(API)
    assert (answer.status_code, answer.json()["code"]) == (400, "not-gated")
    assert not Access.objects.exists()


def test_anybody_reads_what_is_asked_of_them(world: World, project: Project) -> None:
    found = client_of(None).get(API).json()
    assert (found["has_access"], found["state"], found["reason"]) == (False, None, "")
    assert client_of(None).get("/api/v1/projects/lab/small").json()["gate"] == "asks"


def test_every_page_says_to_owners_how_many_wait(world: World) -> None:
    people = world.people
    services.set_gate(world.project, Gate.ASKS, "Who are you?", by=people.alice)
    services.ask(world.project, by=people.charlie, said="")
    assert gates.waiting_for(people.alice) == [("lab/small", 1)]
    for person, is_told in ((people.alice, True), (people.bob, False), (people.charlie, False)):
        client = Client()
        client.force_login(person)
        page = client.get("/settings").content.decode()
        assert ("1 request" in page, "/lab/small/settings/requests" in page) == (is_told,) * 2
        assert ("1 request" in client.get("/projects").content.decode()) is is_told
    services.decide(world.project, people.charlie, AccessState.GRANTED, by=people.alice)
    assert gates.waiting_for(people.alice) == []
