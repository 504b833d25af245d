# SPDX-License-Identifier: Apache-2.0
"""Whoever watches is told, signed, at least once; and no more than they may see at that moment."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from assay.signing.revocation import Reason
from registry.accounts import services as accounts
from registry.accounts.models import Role
from registry.audit.models import AuditRow
from registry.authority import revocations
from registry.catalog import services as catalog
from registry.catalog.models import Visibility
from registry.catalog.models.told import Happening
from registry.notices import delivering, gathering, services, signatures
from registry.notices.errors import PingsWait
from registry.notices.models import Delivery, Event, Hook, State
from registry.site.erasing import erase
from tests.registry.catalog.world import World, by_person, publish
from tests.registry.notices.conftest import Receiver, watching

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is to be tried again is not due before a test says so: the first pause is of 5 s."""
    pauses = (timedelta(minutes=10), *delivering.PAUSES[1:])
    monkeypatch.setattr(delivering, "PAUSES", pauses)


def told(receiver: Receiver) -> list[tuple[str, dict[str, object]]]:
    """What arrived, once all that happened is passed on and sent."""
    gathering.gather()
    delivering.deliver()
    return [
        (found["type"], found["data"]) for found in (json.loads(r.body) for r in receiver.received)
    ]


def test_a_checkpoint_and_its_revision_are_told(
    world: World, receiver: Receiver, hook: Hook
) -> None:
    published = publish(by_person(world))
    kinds = dict(told(receiver))
    assert set(kinds) == {"checkpoint.published", "revision.created"}
    data = kinds["checkpoint.published"]
    assert data["project"] == {"name": "lab/small", "url": "http://localhost:8000/lab/small"}
    assert data["checkpoint"] == {
        "id": f"sha256:{published.manifest_sha256}",
        "oid": published.oid,
        "name": "first",
        "url": "http://localhost:8000/lab/small/first",
    }
    assert kinds["revision.created"]["branch"] == "main"
    assert not Happening.objects.exists()
    assert set(Delivery.objects.values_list("hook", "state", "status")) == {
        (hook.pk, State.DELIVERED, 204)
    }


def test_what_is_undone_is_not_told(world: World, receiver: Receiver, hook: Hook) -> None:
    with transaction.atomic():
        catalog.end(world.project, by=world.people.alice)
        transaction.set_rollback(True)
    assert told(receiver) == []


def test_a_move_and_an_end_are_told(world: World, receiver: Receiver, hook: Hook) -> None:
    moved = catalog.move(world.project, world.lab, "tiny", by=world.people.alice)
    catalog.end(moved, by=world.people.alice)
    found = dict(told(receiver))  # they are sent together, and arrive in any order
    assert set(found) == {"project.moved", "project.ended"}
    data = found["project.moved"]
    assert (data["from"], data["project"]) == (
        "lab/small",
        {"name": "lab/tiny", "url": "http://localhost:8000/lab/tiny"},
    )


def test_a_revoked_certificate_is_told_once(world: World, receiver: Receiver, hook: Hook) -> None:
    publish(by_person(world))
    told(receiver)
    receiver.received.clear()
    (serial,) = revocations.live({world.lab.uri})
    revocations.revoke(serial, Reason.KEY_COMPROMISE)
    (kind, data), *others = told(receiver)
    assert (kind, others) == ("certificate.revoked", [])
    assert data["certificate"] == {
        "serial": serial,
        "reason": Reason.KEY_COMPROMISE.value,
        "invalid_from": None,
    }
    assert len(told(receiver)) == 1


def test_a_hook_hears_of_what_it_asked_for_and_from_then_on(
    world: World, receiver: Receiver
) -> None:
    catalog.move(world.project, world.lab, "tiny", by=world.people.alice)
    hook = watching(world, receiver, project="lab/tiny")
    Hook.objects.filter(pk=hook.pk).update(events=[Event.ENDED])
    publish(by_person(world))
    assert told(receiver) == []


def test_all_of_a_names_projects_are_watched(world: World, receiver: Receiver) -> None:
    watching(world, receiver, owner="lab", project="")
    publish(by_person(world))
    assert len(told(receiver)) == 2


def test_each_request_is_signed_in_the_standards_form(
    world: World, receiver: Receiver, hook: Hook
) -> None:
    services.ping(hook, by=world.people.alice)
    assert told(receiver) == [("ping", {"webhook": str(hook.pk)})]
    (got,) = receiver.received
    secret = signatures.secret(hook)
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert got.headers["webhook-signature"] == f"v1,{expected}"
    assert abs(int(got.headers["webhook-timestamp"]) - timezone.now().timestamp()) < 60


def test_no_row_has_the_secret(world: World, hook: Hook) -> None:
    secret = signatures.secret(hook)
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(h)::text FROM notices_hook h")
        rows = str(cursor.fetchall())
    assert secret.removeprefix("whsec_")[:12] not in rows
    assert signatures.secret(watching_again(world, hook)) != secret


def watching_again(world: World, hook: Hook) -> Hook:
    wanted = services.Wanted(owner="alice", project="", url=hook.url, events=hook.events)
    return services.add(wanted, by=world.people.alice)[0]


def test_a_bad_answer_is_tried_again_under_the_same_id(
    world: World, receiver: Receiver, hook: Hook
) -> None:
    receiver.status, receiver.answer = 500, b"not today"
    services.ping(hook, by=world.people.alice)
    told(receiver)
    row = Delivery.objects.get()
    assert (row.state, row.attempts, row.status, row.answer) == ("waiting", 1, 500, "not today")
    assert len(told(receiver)) == 1  # it is not due yet
    Delivery.objects.update(due_at=timezone.now())
    receiver.status = 204
    told(receiver)
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert Delivery.objects.get().state == "delivered"


def test_what_was_claimed_by_a_process_that_died_is_sent_again(
    world: World, receiver: Receiver, hook: Hook
) -> None:
    services.ping(hook, by=world.people.alice)
    (claimed,) = delivering._claim(timezone.now())
    assert told(receiver) == []
    Delivery.objects.filter(pk=claimed.pk).update(due_at=timezone.now())
    assert len(told(receiver)) == 1


def test_after_its_last_attempt_the_hook_is_switched_off_and_its_owner_told(
    world: World, receiver: Receiver, hook: Hook
) -> None:
    receiver.status = 503
    services.ping(hook, by=world.people.alice)
    for _ in range(len(delivering.PAUSES) + 1):
        told(receiver)
        Delivery.objects.update(due_at=timezone.now())
    hook.refresh_from_db()
    assert Delivery.objects.get().state == "failed"
    assert hook.reason.startswith("8 attempts over 28 hours went wrong")
    assert AuditRow.objects.filter(action="webhook.disable", subject="alice").exists()
    publish(by_person(world))
    assert len(told(receiver)) == 8


def test_410_switches_it_off_at_once_and_what_waits_is_kept(
    world: World, receiver: Receiver, hook: Hook
) -> None:
    receiver.status = 410
    services.ping(hook, by=world.people.alice)
    told(receiver)
    hook.refresh_from_db()
    assert hook.disabled_at is not None
    receiver.status = 204
    services.switch_on(hook, by=world.people.alice, now=timezone.now())
    told(receiver)
    assert Delivery.objects.get().state == "delivered"


def test_another_secret_key_of_the_registry_signs_nothing(
    world: World, receiver: Receiver, hook: Hook, settings: Settings
) -> None:
    settings.SECRET_KEY = "another" * 8
    services.ping(hook, by=world.people.alice)
    assert told(receiver) == []
    hook.refresh_from_db()
    assert hook.reason == delivering.OTHER_KEY
    services.renew(hook, by=world.people.alice)
    services.switch_on(hook, by=world.people.alice, now=timezone.now())
    assert len(told(receiver)) == 1


def test_who_may_not_see_a_project_any_more_is_told_nothing(
    world: World, receiver: Receiver
) -> None:
    people = world.people
    wanted = services.Wanted(
        owner="charlie", project="lab/small", url=receiver.url, events=Event.values
    )
    services.add(wanted, by=people.charlie)
    publish(by_person(world))
    gathering.gather()
    catalog.show(world.project, Visibility.PRIVATE, by=people.alice)
    assert told(receiver) == []
    assert set(Delivery.objects.values_list("state", "body")) == {("withheld", "")}


def test_a_member_is_told_of_what_is_private_until_they_leave(
    world: World, receiver: Receiver
) -> None:
    people = world.people
    catalog.show(world.project, Visibility.PRIVATE, by=people.alice)
    wanted = services.Wanted(
        owner="bob", project="lab/small", url=receiver.url, events=[Event.CHECKPOINT]
    )
    services.add(wanted, by=people.bob)
    publish(by_person(world))
    assert len(told(receiver)) == 1
    accounts.remove_member(people.lab, people.bob, by=people.alice)
    catalog.end(world.project, by=people.alice)
    assert len(told(receiver)) == 1


def test_one_slow_hook_has_few_requests_at_a_time(
    world: World, receiver: Receiver, hook: Hook
) -> None:
    for _ in range(10):
        services.ping(hook, by=world.people.alice)
    with pytest.raises(PingsWait, match="expected at most 10 pings under way, found 10"):
        services.ping(hook, by=world.people.alice)
    assert len(delivering._claim(timezone.now())) == delivering.OF_ONE_HOOK


def test_what_is_old_is_forgotten_but_never_what_waits(
    world: World, receiver: Receiver, hook: Hook
) -> None:
    services.ping(hook, by=world.people.alice)
    told(receiver)
    services.ping(hook, by=world.people.alice)
    delivering.tidy(now=timezone.now() + timedelta(days=31))
    assert [each.state for each in Delivery.objects.all()] == ["waiting"]


def test_who_left_watches_nothing_and_is_named_nowhere(world: World, receiver: Receiver) -> None:
    people = world.people
    accounts.add_member(people.lab, people.bob, Role.OWNER, by=people.alice)
    mine = services.Wanted(owner="alice", project="", url=receiver.url, events=Event.values)
    services.add(mine, by=people.alice)
    labs = services.Wanted(owner="lab", project="lab/small", url=receiver.url, events=Event.values)
    services.add(labs, by=people.bob)
    people.alice.refresh_from_db()
    erase("alice")
    (left,) = Hook.objects.all()
    assert left.owner.name == "lab"
    assert not Delivery.objects.filter(body__contains="alice").exists()
