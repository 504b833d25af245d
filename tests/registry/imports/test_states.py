# SPDX-License-Identifier: Apache-2.0
"""What each state of an import has is held by the database, and by what older versions left."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import IntegrityError

from registry.imports.models import Import, State
from tests.registry.catalog.world import World

BEFORE, SINCE = "0002_had_result", "0003_states"
THEN = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
RESULT: Mapping[str, object] = {"result_sha256": "cd" * 32, "result_bytes": 3}
WHOLE: Mapping[str, Mapping[str, object]] = {
    State.WAITING: {},
    State.CONVERTED: RESULT,
    State.DONE: {**RESULT, "oid": "ef" * 20, "ended_at": THEN},
    State.REFUSED: {"reason": "expected tensors", "ended_at": THEN},
}


def row(world: World, state: str, **other: object) -> Import:
    return Import.objects.create(
        project=world.project,
        person=world.people.alice,
        source_name="a.pt",
        source_sha256=f"{len(Import.objects.all()):064x}",
        name="a.safetensors",
        state=state,
        **{**WHOLE.get(state, {}), **other},
    )


ODD: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "imports_state_is_known": ("lost", {"ended_at": THEN}),
    "imports_ended_has_a_time": (State.DONE, {"ended_at": None}),
    "imports_converted_has_a_result": (State.CONVERTED, {"result_bytes": None}),
    "imports_done_has_an_oid": (State.DONE, {"oid": ""}),
    "imports_refused_has_a_reason": (State.REFUSED, {"reason": ""}),
}


@pytest.mark.parametrize("name", ODD)
def test_a_row_that_lacks_what_its_state_has_is_refused(world: World, name: str) -> None:
    state, other = ODD[name]
    with pytest.raises(IntegrityError, match=name):
        row(world, state, **other)


@pytest.mark.parametrize("state", [State.WAITING, State.CONVERTED])
def test_what_is_underway_has_not_ended(world: World, state: State) -> None:
    with pytest.raises(IntegrityError, match="imports_ended_has_a_time"):
        row(world, state, ended_at=THEN)


def migrate(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    MigrationExecutor(connection).migrate([("imports", name)])


def test_rows_of_older_versions_stay_and_what_two_workers_left_is_underway(world: World) -> None:
    migrate(BEFORE)
    for state in State.values:
        row(world, state)
    left = row(world, State.CONVERTED, ended_at=THEN)
    migrate(SINCE)
    assert Import.objects.count() == len(State.values) + 1
    left.refresh_from_db()
    assert (left.state, left.ended_at) == (State.CONVERTED, None)
