# SPDX-License-Identifier: Apache-2.0
"""The database itself refuses to take a checkpoint back, or to change what was handed in."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from registry.catalog import services
from registry.catalog.models import Checkpoint, State
from tests.registry.catalog.world import World, by_person


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE catalog_checkpoint SET state = 'received'",
        "UPDATE catalog_checkpoint SET state = 'signed', published_at = NULL",
        "UPDATE catalog_checkpoint SET name = 'other'",
        "UPDATE catalog_checkpoint SET manifest = '{}'",
        "UPDATE catalog_checkpoint SET manifest_sha256 = repeat('a', 64)",
        "UPDATE catalog_checkpoint SET conduct_id = NULL",
        "UPDATE catalog_checkpoint SET run_id = NULL",
        "DELETE FROM catalog_checkpoint",
        "UPDATE catalog_file SET sha256 = repeat('a', 64)",
        "DELETE FROM catalog_file",
        "UPDATE catalog_dataset SET manifest = '{}'",
        "DELETE FROM catalog_datasetfile",
    ],
)
def test_what_is_published_stays_as_it_is(
    world: World, published_once: Checkpoint, change: str
) -> None:
    with (
        pytest.raises(IntegrityError, match=r"never changes|does not go|written once"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change)


@pytest.mark.parametrize("state", [State.SIGNED, State.PUBLISHED])
def test_no_state_is_skipped(world: World, state: State) -> None:
    """Signed needs its statements, and published comes after signed."""
    checkpoint = services.receive(by_person(world))
    with pytest.raises(IntegrityError), transaction.atomic():
        Checkpoint.objects.filter(pk=checkpoint.pk).update(state=state)


def test_a_rejected_one_stays_rejected(world: World) -> None:
    checkpoint = services.receive(by_person(world))
    row = Checkpoint.objects.filter(pk=checkpoint.pk)
    row.update(state=State.REJECTED, reason="because")
    with pytest.raises(IntegrityError, match="does not go"), transaction.atomic():
        row.update(state=State.RECEIVED)


def test_rows_say_what_they_are(world: World, published_once: Checkpoint) -> None:
    assert str(published_once) == "lab/small@step-000010 (published)"
    assert str(world.dataset) == "lab/texts"
    assert str(world.dataset.files.get(name="a.txt")) == "a.txt"
    assert str(published_once.files.get(name="config.json")) == "config.json"
