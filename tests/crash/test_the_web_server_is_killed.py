# SPDX-License-Identifier: Apache-2.0
"""The web server killed -9 while people publish, and started again by its supervisor.

What was acknowledged is published and downloads whole; strangers see all of it or nothing.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest

from registry.catalog import services
from registry.catalog.models import Checkpoint
from registry.catalog.queries import UNDERWAY
from tests.crash.asking import stored
from tests.crash.kept import Kept
from tests.crash.publishing import Moment, Publisher, Stranger
from tests.crash.test_publishing_is_killed import check_published_once, check_the_ledger
from tests.registry.catalog.world import World
from tests.registry.people import secret_of
from tests.running import Authority
from tests.thorough import IS_REPEATING, repeated

pytestmark = [pytest.mark.django_db(transaction=True), repeated]
MOMENTS = [*Moment, *Moment] if IS_REPEATING else [*Moment]


def test_what_it_acknowledged_is_published_and_nothing_is_half_visible(
    world: World, kept: Kept, authority: Authority
) -> None:
    secret = secret_of(world.people.alice, "publish")
    stranger = Stranger(url=kept.url)
    everybody: list[Publisher] = []
    with ThreadPoolExecutor(max_workers=3) as people:
        reading = people.submit(stranger.read)
        try:
            for number, moment in enumerate(random.sample(MOMENTS, len(MOMENTS))):
                first, beside = (
                    Publisher(url=kept.url, secret=secret, name=f"{who}-{number}", moment=at)
                    for who, at in (("first", moment), ("beside", None))
                )
                everybody += [first, beside]
                killed_meanwhile(kept, people, first, beside, is_parent=number % 2 == 0)
        finally:
            stranger.is_over.set()
        reading.result()
    check_all_is_published(kept, everybody, authority)
    stranger.look()
    assert stranger.seen == {each.name for each in everybody}
    assert stranger.complaints == []


def killed_meanwhile(
    kept: Kept, people: Executor, first: Publisher, beside: Publisher, *, is_parent: bool
) -> None:
    """The server dies when the first comes to its moment; the other is wherever it is."""
    asked = [people.submit(each.publish) for each in (first, beside)]
    try:
        kept.while_it_watches(lambda: first.came.is_set() or asked[0].done())
        kept.kill(is_parent=is_parent)
        check_what_was_acknowledged(first, beside)
    finally:
        first.may_go_on.set()
    kept.while_it_watches(lambda: all(each.done() for each in asked))
    for each in asked:
        each.result()
    check_what_was_acknowledged(first, beside)


def check_what_was_acknowledged(*publishers: Publisher) -> None:
    """At any moment, also while the worker is at it."""
    for publisher in publishers:
        for sha256, content in list(publisher.blobs.items()):
            assert stored(sha256) == content
        if publisher.acknowledged is not None:
            kept = Checkpoint.objects.get(name=publisher.name)
            assert kept.manifest_sha256 == publisher.acknowledged.id


def check_all_is_published(
    kept: Kept, publishers: Sequence[Publisher], authority: Authority
) -> None:
    """By the worker, or by the sweep where a message was lost with who was about to send it."""

    def is_done() -> bool:
        services.sweep()
        return not Checkpoint.objects.filter(state__in=UNDERWAY).exists()

    kept.while_it_watches(is_done)
    assert Checkpoint.objects.count() == len(publishers)
    for checkpoint in Checkpoint.objects.all():
        check_published_once(checkpoint, authority)
    check_the_ledger(authority)
