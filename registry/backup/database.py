# SPDX-License-Identifier: Apache-2.0
"""The database as a whole: dumped, filled, and closed to writes until it is verified.

Closed means that every new session is read-only unless it says otherwise itself
(default_transaction_read_only): it holds for any process, and outlasts a crash of ours.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from django.core.management import call_command
from django.db import ProgrammingError, connection, transaction
from psycopg import sql
from psycopg.conninfo import make_conninfo

from registry.supervisor.binaries import Account, postgres_folder
from registry.supervisor.errors import ProgramMissing

from .errors import DatabaseProgramFailed, NotEmpty

READ_ONLY = "default_transaction_read_only"
TAIL_CHARACTERS = 1500
# libpq has no variable of the environment for these, and a command line is everybody's to read.
SECRET_OPTIONS = frozenset({"oauth_client_secret", "sslpassword"})
SERVICE = "assay"


@contextmanager
def snapshot() -> Iterator[str]:
    """One state of the database, for the queries in the block and for `dump`; its name."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        (name,) = cursor.fetchone()
        yield str(name)


def dump(target: Path, *, name: str) -> None:
    """Write the state of a snapshot into a file."""
    _run("pg_dump", "--format=custom", f"--snapshot={name}", f"--file={target}")


def fill(source: Path) -> None:
    """Fill the empty database from a file: all of it, or nothing."""
    words = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
    _run("pg_restore", *words, str(source), options=f"-c {READ_ONLY}=off")


def migrate() -> None:
    """Bring an older backup's tables up to date, while others may only read."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET SESSION {READ_ONLY} = off")
    call_command("migrate", "--no-input", verbosity=0)
    connection.close()  # the next session is as everybody's


def check_empty() -> None:
    """Raise NotEmpty if there is a table."""
    with connection.cursor() as cursor:
        names = connection.introspection.table_names(cursor)
    if names:
        raise NotEmpty(
            f"the database {connection.settings_dict['NAME']} has {len(names)} tables: a backup is "
            "restored into an empty one only. Name an empty ASSAY_DATA_DIR, or, where DATABASE_URL "
            "is set, make a new database"
        )


def close_writes() -> None:
    """Let every new session only read."""
    _set(sql.SQL("SET {} = on"))


def open_writes() -> None:
    """Let new sessions write again."""
    _set(sql.SQL("RESET {}"))
    connection.close()


def _set(change: sql.SQL) -> None:
    statement = sql.SQL("ALTER DATABASE {} ").format(
        sql.Identifier(str(connection.settings_dict["NAME"]))
    ) + change.format(sql.Identifier(READ_ONLY))
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SET SESSION {READ_ONLY} = off")
            cursor.execute(statement.as_string(None))
    except ProgrammingError as error:
        raise DatabaseProgramFailed(
            f"the database cannot be closed to writes ({str(error).strip()}): "
            "let the user that DATABASE_URL names own it"
        ) from error


def _run(program: str, *words: str, options: str = "") -> None:
    """Run a program of PostgreSQL on our database; no secret of it is in a command line."""
    settings = connection.settings_dict
    given = {key: each for key, each in settings["OPTIONS"].items() if isinstance(each, str)}
    secret = {key: each for key, each in given.items() if key in SECRET_OPTIONS}
    parts = {
        "dbname": settings["NAME"],
        "user": settings["USER"],
        "host": settings["HOST"],
        "port": settings["PORT"],
        **{key: each for key, each in given.items() if key not in secret},
        "options": f"{given.get('options', '')} {options}".strip(),  # of two, the later counts
        **({"service": SERVICE} if secret else {}),
    }
    address = make_conninfo(**{key: str(each) for key, each in parts.items() if each})
    environment = os.environ | {"PGPASSWORD": settings["PASSWORD"]} | {"LC_ALL": "C"}
    with _service_file(secret) as service:
        ended = subprocess.run(
            [str(_program(program)), "--no-password", f"--dbname={address}", *words],
            env={**environment, **service},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    if ended.returncode:
        said = ended.stderr.strip()[-TAIL_CHARACTERS:]
        raise DatabaseProgramFailed(f"{program} ended with {ended.returncode}: {said}")


@contextmanager
def _service_file(secret: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """The environment that names a connection service file of these options, ours alone."""
    if not secret:
        yield {}
        return
    with NamedTemporaryFile("w", encoding="utf-8") as file:  # of mode 0600
        lines = [f"[{SERVICE}]", *(f"{key}={each}" for key, each in secret.items())]
        file.write("\n".join(lines) + "\n")
        file.flush()
        yield {"PGSERVICEFILE": file.name}


def _program(name: str) -> Path:
    """A program as new as the server, or newer: older ones refuse to read it."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        server = int(cursor.fetchone()[0]) // 10_000
    for program in _candidates(name):
        said = subprocess.run(
            [str(program), "--version"], capture_output=True, text=True, check=False
        ).stdout
        found = re.search(r" (\d+)", said)
        if found is not None and int(found[1]) >= server:
            return program
    raise DatabaseProgramFailed(
        f"no {name} for PostgreSQL {server}: install postgresql-client-{server}"
    )


def _candidates(name: str) -> Iterator[Path]:
    with suppress(ProgramMissing):
        yield postgres_folder(Account.for_postgres()) / name
    on_path = shutil.which(name)
    if on_path is not None:
        yield Path(on_path)
