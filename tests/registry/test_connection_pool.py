# SPDX-License-Identifier: Apache-2.0
"""The web's pool of connections outlives a restart of PostgreSQL: no request sees a dead one."""

from __future__ import annotations

import runpy
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from django.db.backends.postgresql.base import DatabaseWrapper
from psycopg_pool.base import AttemptWithBackoff

from registry import settings as module
from registry.supervisor.places import Places
from registry.supervisor.postgres import Postgres
from tests.registry.supervisor.worlds import postgres

END = "SELECT pg_terminate_backend(%s, 5000)"  # what a restart does to each, waited for

# A pool of psycopg's waits five minutes at most between two attempts, and gives up then.
BACK_SECONDS = 60.0


@pytest.fixture
def own_server() -> Iterator[Postgres]:
    """A PostgreSQL that the test may stop."""
    folder = Path(tempfile.mkdtemp(prefix="assay-test-"))
    places = Places.of(folder / "data")
    yield postgres(places)
    places.tidy()
    shutil.rmtree(folder)


@pytest.fixture
def pooled(monkeypatch: pytest.MonkeyPatch, db: None) -> Iterator[DatabaseWrapper]:
    """A connection by the web's own settings, which asgi.py asks for, to the tests' database."""
    monkeypatch.setenv("ASSAY_DATABASE_POOL", "1")
    found = runpy.run_path(str(Path(module.__file__)))["DATABASES"]["default"]
    settings = {**connection.settings_dict, **found, "NAME": connection.settings_dict["NAME"]}
    wrapper = DatabaseWrapper(settings, alias=connection.alias)
    yield wrapper
    wrapper.close()
    wrapper.close_pool()


def backend(wrapper: DatabaseWrapper) -> int:
    """The server's process behind one request, after which the connection goes back."""
    try:
        with wrapper.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return int(cursor.fetchone()[0])
    finally:
        wrapper.close()


def test_no_request_is_given_a_connection_that_a_restart_ended(pooled: DatabaseWrapper) -> None:
    before = backend(pooled)
    assert backend(pooled) == before  # it is a pool
    with connection.cursor() as cursor:
        cursor.execute(END, [before])
    assert backend(pooled) != before


def test_after_an_outage_the_next_request_is_the_next_attempt(
    db: None, own_server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_DATABASE_POOL", "2")
    monkeypatch.setenv("DATABASE_URL", own_server.url)
    # The pause after the first attempt that fails, as it is doubled to in a long outage.
    monkeypatch.setattr(AttemptWithBackoff, "INITIAL_DELAY", 3600.0)
    found = runpy.run_path(str(Path(module.__file__)))["DATABASES"]["default"]
    found["OPTIONS"]["pool"]["timeout"] = 0.4  # a request in this test waits no longer
    wrapper = DatabaseWrapper({**connection.settings_dict, **found}, alias=connection.alias)
    process = own_server.start()
    try:
        assert backend(wrapper)
        process.stop()
        assert not answers(wrapper)
        process = own_server.start()
        until = time.monotonic() + BACK_SECONDS
        while not answers(wrapper):
            assert time.monotonic() < until
    finally:
        wrapper.close()
        wrapper.close_pool()
        process.stop()


def answers(wrapper: DatabaseWrapper) -> bool:
    """Whether a request finds a database."""
    try:
        return backend(wrapper) > 0
    except OperationalError:
        return False
