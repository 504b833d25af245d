# SPDX-License-Identifier: Apache-2.0
"""Fixtures that run real programs: `authority` (a signer), `live` (web server and worker)."""

import itertools
import os
import shutil
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.db import connection

from assay.signing.certificates import Purpose
from assay.signing.signer import ceremony
from assay.signing.signer.__main__ import open_service
from assay.signing.signer.opening import LEAVES_FOLDER, TIMESTAMP_FILE
from assay.signing.signer.protocol import RESPONDER
from assay.signing.trust import TrustRoot
from registry import wakeups
from registry.supervisor import programs, waiting
from registry.supervisor.environment import Deployment
from registry.supervisor.errors import ProgramFailed
from registry.supervisor.places import Places
from registry.supervisor.processes import Process, Program
from tests import plugin
from tests.forking import ForkedSigner
from tests.signing.signer.worlds import certify_beforehand, wanted

HEAD, ROOT_LIST, INTERMEDIATES = "head.json", "root.crl", "intermediates"
QUIET_SECONDS = 0.05
IDLE_SECONDS = 60.0
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # reading the web's authorities takes 70 ms
IN_USE = b"Address already in use"
UNACKED = ("unacked", "unacked_index")  # what workers took and have not finished: kombu's names


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A signer process on a copy of the authority that has signed nothing yet."""

    directory: Path
    process: Process

    def has_changed(self, base: Path) -> bool:
        """Whether it signed a head, or its intermediates or the root's list are others."""
        return _state(self.directory) != _state(base)

    def has_other_leaves(self, base: Path) -> bool:
        """Whether it certified somebody, or put a leaf away."""
        return _leaves(self.directory) != _leaves(base)


class Authority:
    """A real authority in a temporary folder, and its signer, which alone reads the keys.

    A signer never signs a shorter ledger, and each test begins with an empty one, or with the one
    that was there when it was told to `stay`. So the next signer, with the same keys, is started
    while a test runs, and takes over after it.
    """

    def __init__(self, deployment: Deployment, folder: Path) -> None:
        self.socket = deployment.places.signer_socket
        self._program = programs.signer(deployment)
        self.passphrase_file = programs.passphrase_file(deployment)
        self._known_place = deployment.places.authority
        self._ledger = deployment.places.data / "ledger"
        self._pristine = folder / "pristine"
        self._base, self._base_ledger = self._pristine, folder / "none"
        self._numbers = itertools.count()
        self._retired: list[Process] = []
        passphrase = programs.passphrase_file(deployment).read_bytes().strip()
        self.trust_root: TrustRoot = ceremony.create(
            self._pristine,
            registry_url=os.environ["ASSAY_PUBLIC_URL"],
            origin=os.environ["ASSAY_LEDGER_ORIGIN"],
            passphrase=passphrase,
            at=datetime.now(UTC),
        )
        # For tests that ask the signer without a registry, which would see to it.
        certify_beforehand(
            self._pristine,
            lambda copy: open_service(copy, passphrase=passphrase),
            wanted(Purpose.TIMESTAMP, "timestamp"),
            wanted(Purpose.CHECKPOINT, "lab"),
            wanted(Purpose.OUTPUT, "alice"),
            wanted(Purpose.OUTPUT, f"{RESPONDER}output"),
        )
        self._current = self._next = self._prepare()
        self._take_next()

    @property
    def directory(self) -> Path:
        """The folder of the signer that answers now."""
        return self._current.directory

    @property
    def root_words(self) -> tuple[str, ...]:
        """The root at hand, as words of a command."""
        offline = self.directory / "offline"
        return ("--root", str(offline), "--root-passphrase-file", str(self.passphrase_file))

    def forget(self) -> None:
        """Back to an empty ledger, or the one it stays with; keeps root and keys."""
        stays = self._base != self._pristine
        if self._current.has_changed(self._base) or (
            stays and self._current.has_other_leaves(self._base)
        ):
            self._current.process.ask_to_stop()
            if not stays:  # else the rows are back, and so is whom they say it certified
                self._hand_on_leaves()
            self._retired.append(self._current.process)
            self._take_next()
        shutil.rmtree(self._ledger, ignore_errors=True)
        if self._base_ledger.exists():
            shutil.copytree(self._base_ledger, self._ledger)

    def stay(self) -> None:
        """From now on `forget` goes back to what is signed now."""
        folder = self._pristine.with_name(f"base-{next(self._numbers)}")
        self._base, self._base_ledger = folder / "signer", folder / "ledger"
        shutil.copytree(self._current.directory, self._base)
        shutil.copytree(self._ledger, self._base_ledger)
        self._prepare_another()

    def leave(self) -> None:
        """From now on `forget` goes back to an empty ledger again, and does so at once."""
        if self._base != self._pristine:
            shutil.rmtree(self._base.parent)
        self._base, self._base_ledger = self._pristine, self._pristine.with_name("none")
        self._prepare_another()
        self._current.process.ask_to_stop()
        self._retired.append(self._current.process)
        self._take_next()
        self.forget()

    def _hand_on_leaves(self) -> None:
        """What a module's rows say is certified, signs for the module's next test too."""
        for name in (LEAVES_FOLDER, TIMESTAMP_FILE):
            source, target = self._current.directory / name, self._next.directory / name
            if source.is_dir():
                shutil.copytree(source, target, dirs_exist_ok=True)
            elif source.exists():  # one that was revoked is put away
                shutil.copy2(source, target)

    def begin_anew(self) -> None:
        """A signer that has certified nobody for any registry; for tests of how that is done."""
        self._current.process.ask_to_stop()
        self._retired.append(self._current.process)
        self._take_next()

    def stop(self) -> None:
        """Stops the signer; for tests of what happens without it."""
        self._current.process.stop()
        self.socket.unlink(missing_ok=True)

    def start(self) -> None:
        """Starts it again on the same folder."""
        signer = self._start(self._current.directory)
        self._await(signer)
        self._current = signer

    def end(self) -> None:
        """Stops every process."""
        for process in (*self._retired, self._current.process, self._next.process):
            process.stop()

    def _prepare_another(self) -> None:
        """Instead of the next one, which began with another ledger."""
        self._next.process.ask_to_stop()
        self._retired.append(self._next.process)
        self._next = self._prepare()

    def _prepare(self) -> Signer:
        directory = self._pristine.with_name(str(next(self._numbers)))
        shutil.copytree(self._base, directory)
        return self._start(directory)

    def _start(self, directory: Path) -> Signer:
        """On a socket of its own: what it removes when it ends is not the next one's."""
        arguments = list(self._program.arguments)
        arguments[arguments.index("--directory") + 1] = str(directory)
        arguments[arguments.index("--socket") + 1] = str(self._socket_of(directory))
        program = replace(self._program, arguments=tuple(arguments))
        return Signer(directory=directory, process=ForkedSigner(program))

    def _take_next(self) -> None:
        self._await(self._next)
        link = self._known_place.with_name("authority.link")
        link.symlink_to(self._next.directory)
        link.replace(self._known_place)
        self._current, self._next = self._next, self._prepare()
        self._retired = [process for process in self._retired if process.exit_code is None]

    def _await(self, signer: Signer) -> None:
        own = self._socket_of(signer.directory)
        waiting.until_it_answers(signer.process, waiting.listens(own), expectation="its socket")
        own.replace(self.socket)

    def _socket_of(self, directory: Path) -> Path:
        return self.socket.with_name(f"socket-{directory.name}")


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
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, verify=NO_TLS)


def _state(directory: Path) -> tuple[bytes, bytes, set[str]]:
    names = {str(path.relative_to(directory)) for path in (directory / INTERMEDIATES).rglob("*")}
    return (directory / HEAD).read_bytes(), (directory / ROOT_LIST).read_bytes(), names


def _leaves(directory: Path) -> dict[Path, bytes]:
    files = (*(directory / LEAVES_FOLDER).rglob("*"), directory / TIMESTAMP_FILE)
    return {path.relative_to(directory): path.read_bytes() for path in files if path.is_file()}


_authorities: list[Authority] = []
_live: list[Live] = []


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    """Root, intermediates, timestamp authority and ledger key, behind a running signer."""
    made = Authority(_deployment(0), tmp_path_factory.mktemp("authority"))
    _authorities.append(made)
    yield made
    _authorities.clear()
    made.end()


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """The programs that this test starts count for the coverage."""
    for name, value in plugin.measuring.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True)
def _an_empty_ledger() -> Iterator[None]:
    """The signer never signs a shorter ledger; each test's database begins with an empty one."""
    yield
    for made in _authorities:
        made.forget()


@pytest.fixture(scope="module", autouse=True)
def _nobody_works_beside_the_tests(request: pytest.FixtureRequest) -> None:
    """A worker left behind by a module would take other tests' work from them."""
    own = [item for item in request.session.items if item.path == request.path]
    if not any("live" in getattr(item, "fixturenames", ()) for item in own):
        stop_live_programs()


@pytest.fixture(scope="session")
def _live_programs(
    django_db_setup: None, django_db_blocker: object, authority: Authority
) -> Iterator[Callable[[], Live]]:
    """Started by the first module that asks; plugin.py has those modules follow each other."""
    yield lambda: _live[0] if _live else _start_live_programs()
    stop_live_programs()


def _start_live_programs() -> Live:
    try:
        return _started()
    except ProgramFailed:
        log = _live[0].web.program.log
        if IN_USE not in log.read_bytes():
            raise
    stop_live_programs()
    log.unlink()
    return _started()  # at another port: somebody was given that one before it was taken


def _started() -> Live:
    with _broker() as broker:  # what a worker that was killed had would be waited for in vain
        broker.delete(*UNACKED)
    port = free_port()
    deployment = _deployment(port)
    environment = {**os.environ, "DATABASE_URL": _test_database_url(), "PYTHONUNBUFFERED": "1"}
    web = Process(_with(programs.web(deployment), environment))
    worker = Process(_with(programs.worker(deployment), environment))
    url = f"http://127.0.0.1:{port}"
    _live.append(Live(url=url, web=web, worker=worker, environment=environment))
    waiting.until_it_answers(web, waiting.is_healthy(url), expectation=f"{url}/readyz")
    return _live[0]


def stop_live_programs() -> None:
    """The next test that asks for `live` starts others: for tests that harm them."""
    for live in _live:
        live.web.ask_to_stop()
        live.worker.ask_to_stop()
    while _live:
        left = _live.pop()
        left.web.stop()
        left.worker.stop()


@pytest.fixture
def live(transactional_db: None, _live_programs: Callable[[], Live]) -> Iterator[Live]:
    """A real web server and Celery worker on this test's database (no sweeps: nudge them)."""
    yield _live_programs()
    _until_idle()  # or the emptying of the tables could deadlock with a task


def _deployment(port: int) -> Deployment:
    places = Places.of(Path(os.environ["ASSAY_DATA_DIR"]))
    public_url = os.environ["ASSAY_PUBLIC_URL"]
    return Deployment(
        places=places,
        postgres=None,
        valkey=None,
        port=port,
        public_url=public_url,
        watermark_key=places.secrets / "watermark-key",
        trustmark=None,
    )


def _with(program: Program, environment: dict[str, str]) -> Program:
    return replace(program, environment={**program.environment, **environment})


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
    """Nobody is at work in the database, and no worker has anything to do.

    Two looks: between the queue and what is not finished, a task is in neither for a moment.
    """
    deadline = time.monotonic() + IDLE_SECONDS
    quiet_looks = 0
    with _broker() as broker:
        while quiet_looks < 2 and time.monotonic() < deadline:
            has_worker = any(live.worker.exit_code is None for live in _live)
            # Waiting, and at work: a message is acknowledged once its task has ended.
            tasks = broker.llen(settings.CELERY_TASK_DEFAULT_QUEUE) + broker.hlen(UNACKED[0])
            is_quiet = not _busy_sessions() and not (has_worker and tasks)
            quiet_looks = quiet_looks + 1 if is_quiet else 0
            time.sleep(QUIET_SECONDS)  # neither server tells when nobody asks it any more


def _busy_sessions() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND backend_type = 'client backend' AND pid <> pg_backend_pid() "
            "AND state <> 'idle'"
        )
        (busy,) = cursor.fetchone()
        return int(busy)


@contextmanager
def _broker() -> Iterator[Any]:
    """Its client, of which the types of kombu's channels know nothing."""
    with wakeups.app().connection_for_read() as link:
        channel: Any = link.default_channel
        yield channel.client
