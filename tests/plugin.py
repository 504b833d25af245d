# SPDX-License-Identifier: Apache-2.0
"""Starts an embedded PostgreSQL and Valkey before pytest-django reads the settings.

Loaded with `-p tests.plugin` (pyproject.toml): a conftest would be too late, pytest-django has
read the settings by then. DATABASE_URL and BROKER_URL in the environment replace the servers. With
`-n 2` each test process has servers of its own, and the one that hands out the tests has none.

All that they write is kept in memory where a machine has room for it: each signature, tile and blob
is flushed to the disk, thousands of times a minute, and nobody wants it after the tests.

What pytest and Django made until the tests begin stays to their end, and is not looked through for
garbage any more; what comes after, more seldom. A fifth of the processors' time went there.

Programs that tests start are measured only where a test asks for it (the fixture `measured`): a
web server that traces each of its lines takes twice its time.
"""

import gc
import os
import secrets
import shutil
import tempfile
from pathlib import Path

import pytest

from registry.supervisor.places import Places
from registry.supervisor.postgres import Postgres
from registry.supervisor.processes import Process
from registry.supervisor.valkey import Valkey

pytest_plugins = (
    "tests.emptying",
    "tests.thorough",
    "tests.needing",
    "tests.running",
    "tests.keeping",
)

PUBLIC_URL = "http://localhost:8000"
# A file of these takes a minute or more: begun last, one process would wait for the other.
LONG = ("tests/story/", "tests/crash/", "tests/frontend/", "tests/trainers/")
LONGEST_NAME = 30
MEMORY = Path("/dev/shm")  # noqa: S108 - where Linux has it; what is made there has a name of its own
MEMORY_ROOM = 4 * 1024**3  # bytes; two test processes were seen to use 1.2 GiB
# Objects; and how often among the younger before once among the older. No more: what is large may
# hang on few of them.
GARBAGE = (10_000, 5, 5)
# What coverage tells the programs that are started, so that they measure themselves, too.
MEASURING = ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")
measuring: dict[str, str] = {}
_running: list[Process] = []


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Gives every setting of the registry a value for this run alone."""
    _write_to_memory()
    folder = Path(tempfile.mkdtemp(prefix="assay-test-"))
    early_config.add_cleanup(lambda: _tear_down(folder))
    places = Places.of(folder / "data")
    secret_key = places.secrets / "secret-key"
    secret_key.write_text(secrets.token_urlsafe(48))
    providers = folder / "providers.json"
    providers.write_text('{"providers":[]}')
    if not _only_hands_out(early_config):
        measuring.update({name: os.environ.pop(name) for name in MEASURING if name in os.environ})
        os.environ["DATABASE_URL"] = os.environ.get("DATABASE_URL") or _postgres(places)
        os.environ["BROKER_URL"] = os.environ.get("BROKER_URL") or _valkey(places)
    os.environ.update(
        ASSAY_DATA_DIR=str(places.data),
        ASSAY_PUBLIC_URL=PUBLIC_URL,
        ASSAY_LEDGER_ORIGIN="localhost:8000/ledger",
        ASSAY_SIGNER_SOCKET=str(places.signer_socket),
        ASSAY_SECRET_KEY_FILE=str(secret_key),
        ASSAY_ALLOWED_HOSTS="localhost,127.0.0.1,testserver",
        ASSAY_OIDC_PROVIDERS=str(providers),
        ASSAY_DISK_RESERVE="16M",  # a small machine may test, too
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first, and whole files that share the live programs one after the other.

    Among themselves they keep the random order that they have.
    """
    live = {item.path for item in items if "live" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: (not item.nodeid.startswith(LONG), item.path not in live))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Looks for garbage once, and then among what is new."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """No key and no digest in a name: they differ in each process, and then so would the tests."""
    return argname if isinstance(val, str | bytes) and len(val) > LONGEST_NAME else None


def _write_to_memory() -> None:
    if "TMPDIR" in os.environ or not MEMORY.is_dir():
        return
    found = os.statvfs(MEMORY)
    may_run_programs = not found.f_flag & os.ST_NOEXEC  # a container's may not
    if may_run_programs and found.f_bavail * found.f_frsize >= MEMORY_ROOM:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None  # it is looked for again


def _only_hands_out(config: pytest.Config) -> bool:
    is_parallel = bool(config.known_args_namespace.numprocesses)
    return is_parallel and "PYTEST_XDIST_WORKER" not in os.environ


def _postgres(places: Places) -> str:
    server = Postgres(
        data=places.postgres,
        socket_folder=places.sockets / "postgres",
        log=places.logs / "postgres.log",
        is_durable=False,
    )
    _running.append(server.start())
    return server.url


def _valkey(places: Places) -> str:
    server = Valkey(
        data=places.valkey,
        socket_path=places.sockets / "valkey" / "socket",
        log=places.logs / "valkey.log",
    )
    _running.append(server.start())
    return server.url


def _tear_down(folder: Path) -> None:
    while _running:
        _running.pop().stop()
    Places.of(folder / "data").tidy()
    shutil.rmtree(folder)
