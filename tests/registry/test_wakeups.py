# SPDX-License-Identifier: Apache-2.0
"""Nudges: sent after the commit, by name, and lost without harm when the broker is away."""

from __future__ import annotations

import json
from typing import Any

import pytest
from celery import Celery
from django.conf import settings
from django.db import OperationalError as DatabaseAway
from django.db import connection, transaction
from kombu.exceptions import OperationalError
from pytest_django import DjangoCaptureOnCommitCallbacks

from registry import wakeups
from registry.celery import app, keep_what_works
from registry.wakeups import nudge

SWEEPS = {
    "ledger.witness",
    "catalog.sweep",
    "pool.sweep",
    "outputs.sweep",
    "storage.sweep",
    "storage.sweep_orphans",
    "idempotency.sweep",
    "accounts.sweep",
    "authority.sweep",
}


@pytest.fixture
def sender(monkeypatch: pytest.MonkeyPatch) -> Celery:
    """Our settings with a broker in memory: a live worker would be faster than the test."""
    celery = Celery("test")
    celery.config_from_object("django.conf:settings", namespace="CELERY")
    celery.conf.update(broker_url="memory://", broker_transport_options={})
    monkeypatch.setattr(wakeups, "app", lambda: celery)
    return celery


def sent(celery: Celery) -> list[tuple[str, list[object]]]:
    """What the workers would get, taken out of the queue."""
    found = []
    with celery.connection_for_read() as connection, connection.SimpleQueue("registry") as queue:
        for _ in range(queue.qsize()):
            message = queue.get_nowait()
            found.append((message.headers["task"], json.loads(message.body or "")[0]))
            message.ack()
    return found


@pytest.mark.django_db(transaction=True)
def test_a_connection_serves_one_task_after_the_other_until_it_breaks() -> None:
    connection.ensure_connection()
    first = connection.connection
    keep_what_works()
    assert connection.connection is first
    with pytest.raises(DatabaseAway), connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    keep_what_works()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert connection.connection is not first


@pytest.mark.django_db(transaction=True)
def test_a_nudge_leaves_after_the_commit(sender: Celery) -> None:
    with transaction.atomic():
        nudge("catalog.advance", 7, "x")
        assert sent(sender) == []
    assert sent(sender) == [("catalog.advance", [7, "x"])]


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_undone_nudges_nobody(sender: Celery) -> None:
    with transaction.atomic():
        nudge("catalog.advance", 7)
        transaction.set_rollback(True)
    assert sent(sender) == []


def test_a_broker_that_is_away_fails_no_request(
    db: None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("no route to the broker")

    monkeypatch.setattr(wakeups.app(), "send_task", away)
    with django_capture_on_commit_callbacks(execute=True):
        nudge("catalog.advance", 7)
    assert "nudge catalog.advance(7,) is lost" in caplog.text


def test_the_workers_settings_lose_no_task() -> None:
    conf = app.conf
    assert (conf.task_acks_late, conf.task_reject_on_worker_lost) == (True, True)
    assert (conf.worker_prefetch_multiplier, conf.task_ignore_result) == (1, True)
    assert conf.accept_content == ["json"]
    options = conf.broker_transport_options
    assert options["visibility_timeout"] > conf.task_time_limit
    assert (options["unacked_restore_interval"], options["unacked_restore_throttle"]) == (5, 1)


def test_only_tasks_that_lock_what_they_are_at_may_take_until_their_message_comes_again() -> None:
    app.loader.import_default_modules()
    comes_again = app.conf.broker_transport_options["visibility_timeout"]
    longest = {
        name: each.time_limit or app.conf.task_time_limit for name, each in app.tasks.items()
    }
    longer = {name for name, seconds in longest.items() if seconds >= comes_again}
    assert longer == {"catalog.hash", "imports.carry_out"}


def test_every_sweep_is_scheduled_and_expires_before_the_next() -> None:
    schedule: dict[str, Any] = settings.CELERY_BEAT_SCHEDULE
    app.loader.import_default_modules()
    assert set(schedule) >= SWEEPS
    for name, entry in schedule.items():
        assert entry["task"] == name
        assert entry["options"]["expires"] <= entry["schedule"]
        assert name in app.tasks
