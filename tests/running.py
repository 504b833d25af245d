# SPDX-License-Identifier: Apache-2.0
"""Fixtures that run real programs: `authority` (a signer), `live` (web server and worker)."""

import os
import shutil
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from django.db import connection

from assay.signing.signer import ceremony
from assay.signing.trust import TrustRoot
from registry.supervisor import programs, waiting
from registry.supervisor.environment import Deployment
from registry.supervisor.places import Places
from registry.supervisor.processes import Process, Program

QUIET_SECONDS = 0.05
IDLE_SECONDS = 10.0


class Authority:
    """A real authority in a temporary folder, and its signer, which alone reads the keys."""

    def __init__(self, deployment: Deployment, folder: Path) -> None:
        self.directory = deployment.places.authority
        self.socket = deployment.places.signer_socket
        self._deployment = deployment
        self._pristine = folder / "pristine"
        self.trust_root: TrustRoot = ceremony.create(
            self._pristine,
            registry_url=os.environ["ASSAY_PUBLIC_URL"],
            origin=os.environ["ASSAY_LEDGER_ORIGIN"],
            passphrase=programs.passphrase_file(deployment).read_bytes().strip(),
            at=datetime.now(UTC),
        )
        shutil.copytree(self._pristine, self.directory)
        self._process = self._start()

    def forget(self) -> None:
        """Back to an empty ledger, as the next test's database has; keeps root and keys."""
        head = "head.json"
        if (self.directory / head).read_bytes() == (self._pristine / head).read_bytes():
            return
        self.stop()
        shutil.rmtree(self.directory)
        shutil.copytree(self._pristine, self.directory)
        self.start()

    def start(self) -> None:
        """Starts the signer; for tests that stopped it."""
        self._process = self._start()

    def stop(self) -> None:
        """Stops the signer."""
        self._process.stop()

    def _start(self) -> Process:
        process = Process(programs.signer(self._deployment))
        waiting.until_it_answers(process, waiting.listens(self.socket), expectation="its socket")
        return process


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A running registry on the test's own database."""

    url: str
    web: Process
    worker: Process
    environment: dict[str, str]

    def client(self, token: str | None = None) -> httpx.Client:
        """An HTTP client of this server."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60)


_authorities: list[Authority] = []


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    """Root, intermediates, timestamp authority and ledger key, behind a running signer."""
    made = Authority(_deployment(0), tmp_path_factory.mktemp("authority"))
    _authorities.append(made)
    yield made
    _authorities.clear()
    made.stop()


@pytest.fixture(autouse=True)
def _an_empty_ledger() -> Iterator[None]:
    """The signer never signs a shorter ledger; each test's database begins with an empty one."""
    yield
    for made in _authorities:
        made.forget()


@pytest.fixture(scope="session")
def _live_programs(
    django_db_setup: None, django_db_blocker: object, authority: Authority
) -> Iterator[Live]:
    port = free_port()
    deployment = _deployment(port)
    environment = {**os.environ, "DATABASE_URL": _test_database_url(), "PYTHONUNBUFFERED": "1"}
    web = Process(_with(programs.web(deployment), environment))
    worker = Process(_without_beat(_with(programs.worker(deployment), environment)))
    url = f"http://127.0.0.1:{port}"
    waiting.until_it_answers(web, waiting.is_healthy(url), expectation=f"{url}/readyz")
    yield Live(url=url, web=web, worker=worker, environment=environment)
    for process in (web, worker):
        process.ask_to_stop()
    for process in (web, worker):
        process.stop()


@pytest.fixture
def live(transactional_db: None, _live_programs: Live) -> Iterator[Live]:
    """A real web server and Celery worker on this test's database (no sweeps: nudge them)."""
    yield _live_programs
    _until_idle()  # or the emptying of the tables could deadlock with a task


def _deployment(port: int) -> Deployment:
    places = Places.of(Path(os.environ["ASSAY_DATA_DIR"]))
    public_url = os.environ["ASSAY_PUBLIC_URL"]
    return Deployment(places=places, postgres=None, valkey=None, port=port, public_url=public_url)


def _with(program: Program, environment: dict[str, str]) -> Program:
    return replace(program, environment={**program.environment, **environment})


def _without_beat(program: Program) -> Program:
    return replace(program, arguments=tuple(a for a in program.arguments if a != "--beat"))


def _test_database_url() -> str:
    before, _, query = os.environ["DATABASE_URL"].partition("?")
    return f"{before.rpartition('/')[0]}/{connection.settings_dict['NAME']}?{query}"


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _until_idle() -> None:
    deadline = time.monotonic() + IDLE_SECONDS
    quiet_looks = 0
    while quiet_looks < 2 and time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND backend_type = 'client backend' AND pid <> pg_backend_pid() "
                "AND state <> 'idle'"
            )
            (busy,) = cursor.fetchone()
        quiet_looks = 0 if busy else quiet_looks + 1
        time.sleep(QUIET_SECONDS)
