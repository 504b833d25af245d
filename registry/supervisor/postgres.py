# SPDX-License-Identifier: Apache-2.0
"""An embedded PostgreSQL server: one data folder, one unix socket, no port.

As root the server runs as nobody. It reaches its data folder through an inherited descriptor
(`/proc/self/fd/N`), so that the folders above stay closed to it, and it lets only root in.
"""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from .binaries import Account, postgres_folder
from .errors import ProgramFailed, UnsafeFolder
from .processes import POLL_SECONDS, Process, Program, run_to_end

SUPERUSER = "assay"
DATABASE = "assay"
MAJOR_VERSION = "18"
PAGE = 8192  # bytes, PostgreSQL's own
INITDB = (
    f"--username={SUPERUSER}",
    "--encoding=UTF8",
    "--locale-provider=builtin",  # no ICU needed, and sorted the same everywhere
    "--builtin-locale=C.UTF-8",
    "--locale=C",
)
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "huge_pages": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
}
SMALL_CACHE = 64 * 1024**2  # bytes
# PostgreSQL's manual: from a gigabyte of memory on, a quarter of it. Here others want memory, too,
# and a million projects are listed from so much; it is taken as it is needed.
LARGE_CACHE, CACHE_SHARE = 1024**3, 8
CONTAINER_MEMORY = Path("/sys/fs/cgroup/memory.max")
FORGETFUL = {  # tests empty the tables all the time, and for each the whole cache is looked through
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": str(SMALL_CACHE // PAGE),
}
INITDB_SECONDS = 120.0
START_SECONDS = 60.0
STOP_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """Where an embedded server keeps its data and its socket."""

    data: Path
    socket_folder: Path
    log: Path
    is_durable: bool = True  # False for tests: a crash may lose data, nothing waits for a disk

    @property
    def url(self) -> str:
        """What DATABASE_URL says about this server."""
        return f"postgresql://{SUPERUSER}@/{DATABASE}?host={self.socket_folder}"

    def start(self) -> Process:
        """Makes the cluster and the database if they are missing, and waits until they answer."""
        account = Account.for_postgres()
        programs = postgres_folder(account)
        _private_folder(self.socket_folder, account)
        if not self.data.exists():
            self._create(programs, account)
        self._check_version()
        _end_leftover(self)
        with _reachable(self.data, account) as (data, inherited):
            process = Process(self._server(programs, account, data=data, inherited=inherited))
        self._wait(process)
        return process

    def _create(self, programs: Path, account: Account | None) -> None:
        """Fills a new folder beside the data folder, then renames it: never half a cluster."""
        fresh = self.data.with_name(f"{self.data.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)  # an earlier start that was killed
        _private_folder(fresh, account)
        authentication = "peer" if account else "trust"
        sync = () if self.is_durable else ("--no-sync",)
        with _reachable(fresh, account) as (data, inherited):
            run_to_end(
                Program(
                    name="initdb",
                    arguments=(
                        str(programs / "initdb"),
                        f"--pgdata={data}",
                        f"--auth={authentication}",
                        *INITDB,
                        *sync,
                    ),
                    log=self.log,
                    environment={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
                    user=(account.uid, account.gid) if account else None,
                    inherited=inherited,
                ),
                seconds=INITDB_SECONDS,
            )
        if account:
            (fresh / "pg_hba.conf").write_text("local all all peer map=supervisor\n")
            (fresh / "pg_ident.conf").write_text(f"supervisor root {SUPERUSER}\n")
        fresh.rename(self.data)

    def _server(
        self, programs: Path, account: Account | None, *, data: str, inherited: tuple[int, ...]
    ) -> Program:
        folder = {"unix_socket_directories": str(self.socket_folder)}
        settings = SETTINGS | folder | (_cache() if self.is_durable else FORGETFUL)
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Program(
            name="postgres",
            arguments=(str(programs / "postgres"), "-D", data, *options),
            log=self.log,
            environment={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            stop_signal=signal.SIGINT,  # "fast": ends sessions, writes a checkpoint, no recovery
            user=(account.uid, account.gid) if account else None,
            inherited=inherited,
        )

    def _check_version(self) -> None:
        found = (self.data / "PG_VERSION").read_text().strip()
        if found != MAJOR_VERSION:
            message = (
                f"{self.data} was made by PostgreSQL {found}, expected {MAJOR_VERSION}; "
                "move it away, or dump and restore it with that version"
            )
            raise ProgramFailed(message)

    def _wait(self, process: Process) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with psycopg.connect(self.url, dbname="postgres", autocommit=True) as connection:
                    _create_database(connection)
            except psycopg.OperationalError:
                if process.exit_code is not None or time.monotonic() > deadline:
                    failure = process.failed("a server that answers")
                    process.stop()
                    raise failure from None
                time.sleep(POLL_SECONDS)
            else:
                return


def _create_database(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
    if found.fetchone() is None:
        connection.execute(f"CREATE DATABASE {DATABASE}")  # a constant of ours


@contextmanager
def _reachable(folder: Path, account: Account | None) -> Iterator[tuple[str, tuple[int, ...]]]:
    """A path by which the account reaches the folder whatever lies above it."""
    if account is None:
        yield str(folder), ()
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}", (descriptor,)
    finally:
        os.close(descriptor)


def _cache() -> dict[str, str]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if CONTAINER_MEMORY.is_file() and (limit := CONTAINER_MEMORY.read_text().strip()).isdigit():
        memory = min(memory, int(limit))  # a container's; without one it is `max`
    share = min(max(memory // CACHE_SHARE, SMALL_CACHE), LARGE_CACHE)
    return {"shared_buffers": str(share // PAGE)}


def _private_folder(folder: Path, account: Account | None) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if account:
        os.chown(folder, account.uid, account.gid)
    elif folder.stat().st_uid != os.geteuid():
        message = f"{folder} belongs to another user; start as that user, or move it away"
        raise UnsafeFolder(message)


def _end_leftover(server: Postgres) -> None:
    """Ends a server whose supervisor was killed; forgets one that is gone.

    The caller holds the data folder's lock. PostgreSQL itself would refuse to start when the
    process id in a stale file was given to another process, perhaps somebody else's PostgreSQL.
    """
    pid_file = server.data / "postmaster.pid"
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text().split("\n", 1)[0])
    deadline = time.monotonic() + STOP_SECONDS
    while _is_ours(pid, server) and time.monotonic() < deadline:
        os.kill(pid, signal.SIGINT)
        time.sleep(POLL_SECONDS * 5)
    if not _is_ours(pid, server):
        pid_file.unlink(missing_ok=True)


def _is_ours(pid: int, server: Postgres) -> bool:
    """Whether it is PostgreSQL, on our socket or in our data folder, by whatever path."""
    process = Path(f"/proc/{pid}")
    socket_option = f"unix_socket_directories={server.socket_folder}"
    try:
        if (process / "comm").read_text().strip() != "postgres":
            return False
        words = (process / "cmdline").read_bytes().split(b"\0")
        return os.fsencode(socket_option) in words or (process / "cwd").samefile(server.data)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False
