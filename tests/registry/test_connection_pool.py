# SPDX-License-Identifier: Apache-2.0
"""The web's pool of connections outlives a restart of PostgreSQL: no request sees a dead one."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from django.db.backends.postgresql.base import DatabaseWrapper

from registry import settings as module

END = "SELECT pg_terminate_backend(%s, 5000)"  # what a restart does to each, waited for


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
