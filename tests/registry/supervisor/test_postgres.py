# SPDX-License-Identifier: Apache-2.0
"""The embedded PostgreSQL keeps its data, survives being killed, and listens on no port."""

import os
import signal
from dataclasses import replace

import psycopg
import pytest

from registry.supervisor.errors import ProgramFailed
from registry.supervisor.places import Places

from .worlds import postgres


def test_data_are_kept_between_starts(places: Places) -> None:
    server = postgres(places)
    process = server.start()
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'ä' AS letter")
    process.stop()
    process = server.start()
    with psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT letter FROM kept").fetchone() == ("ä",)
    process.stop()


def test_it_starts_again_after_it_was_killed(places: Places) -> None:
    server = postgres(places)
    process = server.start()
    os.kill(process.pid, signal.SIGKILL)
    process.wait(seconds=10)
    assert (server.data / "postmaster.pid").exists()
    process = server.start()
    with psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    process.stop()


def test_a_stale_process_id_of_somebody_else_is_forgotten(places: Places) -> None:
    server = postgres(places)
    server.start().stop()
    (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n", encoding="ascii")
    server.start().stop()


def test_the_stale_process_id_of_somebody_elses_server_ends_nothing(
    places: Places,
) -> None:
    sockets = places.sockets / "theirs"
    theirs = replace(postgres(places), data=places.data / "theirs", socket_folder=sockets)
    process = theirs.start()
    ours = postgres(places)
    ours.start().stop()
    (ours.data / "postmaster.pid").write_text(f"{process.pid}\n", encoding="ascii")
    ours.start().stop()
    assert process.exit_code is None
    process.stop()


def test_a_server_that_its_supervisor_left_is_ended(places: Places) -> None:
    server = postgres(places)
    left = server.start()
    server.start().stop()
    assert left.exit_code == 0


def test_it_sorts_the_same_everywhere_and_listens_on_no_port(places: Places) -> None:
    server = postgres(places)
    process = server.start()
    query = "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = 'assay'"
    with psycopg.connect(server.url) as connection:
        assert connection.execute(query).fetchone() == ("b", "C.UTF-8")
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    process.stop()


@pytest.mark.parametrize(
    ("gigabytes", "expected"), [(0.25, "64MB"), (4, "512MB"), (8, "1GB"), (512, "1GB")]
)
def test_its_cache_is_a_share_of_the_memory(
    places: Places, monkeypatch: pytest.MonkeyPatch, gigabytes: float, expected: str
) -> None:
    of_the_machine = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": int(gigabytes * 1024**3 / 4096)}
    monkeypatch.setattr(os, "sysconf", of_the_machine.__getitem__)
    server = replace(postgres(places), is_durable=True)
    process = server.start()
    with psycopg.connect(server.url) as connection:
        assert connection.execute("SHOW shared_buffers").fetchone() == (expected,)
    process.stop()


def test_a_start_that_was_cut_off_is_begun_anew(places: Places) -> None:
    half = places.data / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n", encoding="ascii")
    postgres(places).start().stop()
    assert not half.exists()


def test_data_of_another_version_are_left_alone(places: Places) -> None:
    server = postgres(places)
    server.data.mkdir(mode=0o700)
    (server.data / "PG_VERSION").write_text("15\n", encoding="ascii")
    with pytest.raises(ProgramFailed, match="made by PostgreSQL 15, expected 18"):
        server.start()


def test_a_server_that_cannot_start_says_why(places: Places) -> None:
    server = postgres(places)
    server.start().stop()
    (server.data / "postgresql.conf").write_text("no_such_setting = 1\n", encoding="ascii")
    with pytest.raises(ProgramFailed, match="no_such_setting"):
        server.start()
