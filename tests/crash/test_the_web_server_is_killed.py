# SPDX-License-Identifier: Apache-2.0
"""The web server killed -9 while people publish, and started again by its supervisor.

What was acknowledged is published and downloads whole; strangers see all of it or nothing.
"""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import pytest

from registry.catalog import services
from registry.catalog.models import Checkpoint
from registry.catalog.queries import UNDERWAY
from registry.supervisor import programs, waiting
from registry.supervisor import system as system_module
from registry.supervisor.processes import Process, Program
from registry.supervisor.system import System
from registry.supervisor.terminal import Terminal
from tests.crash.asking import stored
from tests.crash.publishing import Moment, Publisher, Stranger
from tests.crash.test_publishing_is_killed import (
    check_published_once,
    check_the_ledger,
)
from tests.crash.test_the_supervisor_is_killed import descendants
from tests.registry.catalog.world import World
from tests.registry.people import secret_of
from tests.running import (
    Authority,
    _deployment,
    _test_database_url,
    _until_idle,
    _without_beat,
    free_port,
)
from tests.thorough import IS_REPEATING, repeated
from tests.until import until

pytestmark = [pytest.mark.django_db(transaction=True), repeated]
MOMENTS = [*Moment, *Moment] if IS_REPEATING else [*Moment]


@dataclass(slots=True, kw_only=True)
class Kept:
    """A web server and a worker that the supervisor keeps running."""

    url: str
    system: System

    @property
    def web(self) -> Process:
        """The one that runs now."""
        return self.system.children[0].process

    def while_it_watches(self, is_so: Callable[[], bool]) -> None:
        """Waits for it as the supervisor does."""

        def look() -> bool:
            self.system.watch()
            return is_so()

        until(look)

    def kill(self, *, is_parent: bool) -> None:
        """Granian's own process, or those that it started to answer; then it is up again."""
        killed = self.web
        for victim in {killed.pid} if is_parent else descendants(killed.pid):
            os.kill(victim, signal.SIGKILL)
        self.while_it_watches(lambda: self.web is not killed)
        self.while_it_watches(waiting.is_healthy(self.url))


@pytest.fixture
def kept(world: World, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    monkeypatch.setattr(system_module, "FIRST_PAUSE_SECONDS", 0.05)
    deployment = _deployment(free_port())
    with System(Terminal()) as system:
        system.start(partial(_started, programs.web(deployment)))
        system.start(partial(_started, _without_beat(programs.worker(deployment))))
        found = Kept(url=programs.local_url(deployment), system=system)
        found.while_it_watches(waiting.is_healthy(found.url))
        yield found
    _until_idle()


def _started(program: Program) -> Process:
    environment = {**program.environment, "DATABASE_URL": _test_database_url()}
    return Process(replace(program, environment=environment))


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
