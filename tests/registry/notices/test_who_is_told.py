# SPDX-License-Identifier: Apache-2.0
"""Webhooks tell who may know, when they are sent; and no owner waits for another's address."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from assay.signing.revocation import Reason
from registry.accounts import pseudonyms
from registry.accounts import services as accounts
from registry.accounts.models import Namespace, Role, User
from registry.authority import revocations
from registry.catalog import services as catalog
from registry.catalog.models import Gate, Visibility
from registry.catalog.services import telling
from registry.conduct import services as conduct
from registry.notices import delivering, gathering, services
from registry.notices.models import Delivery, Event, Hook
from tests.registry.catalog.test_pulls import opened
from tests.registry.catalog.world import World, accept, by_person, publish
from tests.registry.notices.conftest import Receiver, watching
from tests.registry.notices.test_delivering import told

pytestmark = pytest.mark.django_db
HOOKS = "/api/v1/webhooks"


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def of(person: User, world: World, receiver: Receiver, project: str = "lab/small") -> Hook:
    """A webhook of this person's own."""
    wanted = services.Wanted(
        owner=person.username, project=project, url=receiver.url, events=Event.values
    )
    return services.add(wanted, by=person)[0]


@pytest.fixture
def hidden(world: World, receiver: Receiver) -> Hook:
    """Charlie watched what is private now, and has another name."""
    hook = of(world.people.charlie, world, receiver)
    publish(by_person(world))
    told(receiver)
    alice = world.people.alice
    moved = catalog.move(world.project, world.lab, "nonesuch", by=alice)
    catalog.show(moved, Visibility.PRIVATE, by=alice)
    return hook


def test_what_became_private_is_named_nowhere(
    world: World, receiver: Receiver, hidden: Hook
) -> None:
    client = signed_in(world.people.charlie)
    assert len(told(receiver)) == 2  # from before
    for path in ("/settings/webhooks", f"/settings/webhooks/{hidden.pk}", HOOKS):
        answer = client.get(path)
        assert (answer.status_code, b"nonesuch" in answer.content) == (200, False)
    assert client.get(f"{HOOKS}/{hidden.pk}").json()["project"] == ""
    assert (
        "A project that you may not see any more"
        in client.get(f"/settings/webhooks/{hidden.pk}").content.decode()
    )


def test_of_what_was_withheld_not_even_kind_and_time_are_said(
    world: World, receiver: Receiver, hidden: Hook
) -> None:
    charlie, address = world.people.charlie, f"{HOOKS}/{hidden.pk}/deliveries"
    gathering.gather()
    assert signed_in(charlie).get(address).json() == []
    delivering.deliver()
    assert Delivery.objects.filter(state="withheld").exists()
    assert signed_in(charlie).get(address).json() == []
    page = signed_in(charlie).get(f"/settings/webhooks/{hidden.pk}").content.decode()
    assert "Nothing yet." in page


def test_who_is_put_out_of_an_organisation_hears_no_more_of_it(
    world: World, receiver: Receiver
) -> None:
    people = world.people
    accounts.add_member(people.lab, people.bob, Role.OWNER, by=people.alice)
    wanted = services.Wanted(owner="lab", project="", url=receiver.url, events=Event.values)
    hook, _ = services.add(wanted, by=people.bob)
    accounts.add_member(people.lab, people.bob, Role.MEMBER, by=people.alice)
    publish(by_person(world))
    assert told(receiver) == []
    hook.refresh_from_db()
    assert hook.reason == delivering.NO_MAKER
    services.switch_on(hook, by=people.alice, now=timezone.now())
    assert {kind for kind, _ in told(receiver)} == {"checkpoint.published", "revision.created"}
    hook.refresh_from_db()
    assert hook.made_by == people.alice


def test_one_owners_slow_address_does_not_hold_up_another(world: World, receiver: Receiver) -> None:
    people = world.people
    many = [watching(world, receiver) for _ in range(8)]
    for hook in many:
        for _ in range(delivering.OF_ONE_HOOK):
            services.ping(hook, by=people.alice)
    own = services.ping(of(people.charlie, world, receiver), by=people.charlie)
    claimed = delivering._claim(timezone.now())
    assert len(claimed) == delivering.TOGETHER
    assert own.pk in {each.pk for each in claimed}


def test_the_line_of_a_pull_request_is_nothing_that_a_revocation_is_told_of(
    world: World, receiver: Receiver
) -> None:
    charlie = world.people.charlie
    conduct.accept(world.conduct, charlie.namespace, charlie)
    publish(by_person(world))
    assert opened(world).line.owner == charlie.namespace
    of(charlie, world, receiver, project="")
    for serial in revocations.live(_uris(charlie.namespace)):
        revocations.revoke(serial, Reason.KEY_COMPROMISE)
    assert told(receiver) == []
    assert not Delivery.objects.exists()


def _uris(owner: Namespace) -> set[str]:
    return {owner.uri, pseudonyms.certified_as(owner)}


def test_a_request_for_access_is_told_to_the_owner_alone(world: World, receiver: Receiver) -> None:
    people = world.people
    catalog.set_gate(world.project, Gate.ASKS, "Who are you?", by=people.alice)
    watching(world, receiver, owner="lab", project="")
    of(people.bob, world, receiver)
    accept(world, people.charlie)
    catalog.ask(world.project, by=people.charlie, said="For my thesis.")
    found = told(receiver)
    assert [kind for kind, _ in found] == [telling.ASKED]
    assert found[0][1] == telling.named(world.project)
    assert "charlie" not in str(found)
