# SPDX-License-Identifier: Apache-2.0
"""The tasks have the names that nudges and the beat call them by, and do what services do."""

from __future__ import annotations

from django.conf import settings

from registry.catalog import services, tasks
from registry.catalog.models import Checkpoint, State
from registry.catalog.services import receiving
from tests.registry.catalog.world import World, by_node, by_person


def test_the_nudge_advances_one(world: World) -> None:
    checkpoint = services.receive(by_person(world))
    assert tasks.advance.name == receiving.ADVANCE
    tasks.advance(checkpoint.pk)
    assert Checkpoint.objects.get().state == State.PUBLISHED


def test_the_sweep_advances_all(world: World) -> None:
    services.receive(by_person(world))
    services.receive(by_node(world))
    assert tasks.sweep.name in settings.CELERY_BEAT_SCHEDULE
    tasks.sweep()
    assert set(Checkpoint.objects.values_list("state", flat=True)) == {State.PUBLISHED}
