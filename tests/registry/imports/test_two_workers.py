# SPDX-License-Identifier: Apache-2.0
"""A worker whose session ended, and its lock with it, and the next one make one revision."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection, transaction

from registry.audit.models import AuditRow
from registry.catalog import tasks as catalog_tasks
from registry.catalog.models import Checkpoint, Revision
from registry.catalog.queries import revisions
from registry.catalog.services import commits, hashing, moving
from registry.imports import apart, services
from registry.imports.models import Import, State
from tests.elsewhere import blocked, elsewhere
from tests.registry.catalog.test_commits import put
from tests.registry.catalog.test_commits import wanted as commit_of
from tests.registry.catalog.weights import weights
from tests.registry.catalog.world import World
from tests.registry.imports.test_imports import converter, made, wanted
from tests.until import until

__all__ = ["converter"]  # the fixture
pytestmark = pytest.mark.django_db(transaction=True)


def is_held() -> bool:
    """Whether a session has the lock of an import."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = %s",
            [services.IMPORT_LOCK],
        )
        return cursor.fetchone() is not None


def the_import() -> Import:
    return Import.objects.select_related("project__owner", "person").get()


def actions() -> list[str]:
    """What the audit has of imports, and of what was received."""
    rows = AuditRow.objects.filter(action__in=("import.convert", "checkpoint.receive"))
    return sorted(rows.values_list("action", flat=True))


def session() -> int:
    """Which one this process has with the database: its locks are this one's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    return int(pid)


def test_for_tensors_no_worker_waits_and_none_loses_its_lock(
    world: World, converter: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those who hash them are the same workers."""
    monkeypatch.setattr(hashing, "INLINE_BYTES", 0)
    services.ask(wanted(world))
    before = session()
    for _ in range(2):  # once to commit it, once to follow it
        services.carry_out()
        assert (the_import().state, session()) == (State.CONVERTED, before)
        assert the_import().oid
    catalog_tasks.hash_waiting()
    services.carry_out()
    assert (the_import().state, Revision.objects.count()) == (State.DONE, 1)
    assert actions() == ["checkpoint.receive", "import.convert"]


def test_who_read_it_before_another_ended_it_commits_nothing(world: World, converter: None) -> None:
    services.ask(wanted(world))
    services._convert(the_import())
    stale = the_import()
    services.carry_out()
    later = commits.commit(commit_of(world, put("model.safetensors", weights({"b": b"1234"}))))
    services._carry_out(stale)
    assert revisions.find(world.project, "main").revision == later
    assert Revision.objects.count() == Checkpoint.objects.count() == 2
    assert the_import().state == State.DONE


def test_who_converts_what_another_has_converted_stops(
    world: World, converter: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.ask(wanted(world))
    stale = the_import()
    services._convert(the_import())
    monkeypatch.setattr(apart, "convert", made(weights({"b": b"1234"})))
    services._carry_out(stale)
    assert actions() == ["import.convert"]
    services.carry_out()
    assert (the_import().state, Revision.objects.count()) == (State.DONE, 1)


def test_what_was_committed_by_one_that_died_is_followed(world: World, converter: None) -> None:
    """Between the revision and the import's end; what came on top of it since, stays."""
    services.ask(wanted(world))
    services._convert(the_import())
    kept = commits.commit(services._wanted(the_import()))
    later = commits.commit(commit_of(world, put("model.safetensors", weights({"b": b"1234"}))))
    services.carry_out()
    assert (the_import().state, the_import().oid) == (State.DONE, kept.checkpoint.oid)
    assert revisions.find(world.project, "main").revision == later
    assert Revision.objects.count() == 2


def test_a_session_that_ends_in_the_middle_ends_its_work(world: World, converter: None) -> None:
    services.ask(wanted(world))
    with transaction.atomic():
        moving.hold(world.project)
        first = elsewhere(services.carry_out, is_awaited=False)
        until(blocked)  # for the project: all is checked, and nothing is kept
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", blocked())
    with pytest.raises(OperationalError):
        first.join()
    assert not Revision.objects.exists()
    until(lambda: not is_held())
    services.carry_out()
    assert (the_import().state, Revision.objects.count()) == (State.DONE, 1)
