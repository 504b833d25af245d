# SPDX-License-Identifier: Apache-2.0
"""Empty places to restore a backup to, and `manage.py` run there as an operator would."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from django.db import connection
from django.test import override_settings

from assay.signing import canonical
from assay.signing.digests import sha256
from registry.backup import restoring
from registry.backup.restoring import Restored
from registry.supervisor.lock import Lock
from tests.running import _test_database_url

CHECKOUT = Path(__file__).resolve().parents[3]
SIGNER = ("head.json", "audit.jsonl", "trust-root.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A data folder, and a database of the test's own server."""

    data: Path
    database_url: str
    is_up: bool = False

    def manage(
        self, *words: str | Path, limit: str = "", bucket: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a management command there; `limit` is a word for the shell's `ulimit`."""
        command = [sys.executable, str(CHECKOUT / "manage.py"), *map(str, words)]
        if limit:
            command = ["sh", "-c", f'ulimit {limit}; exec "$@"', "sh", *command]
        environment = {name: v for name, v in os.environ.items() if not name.startswith("ASSAY_")}
        environment |= {"ASSAY_DATA_DIR": str(self.data), "DATABASE_URL": self.database_url}
        if bucket:
            environment["ASSAY_BUCKET"] = bucket
        with self.supervised():
            return subprocess.run(
                command, env=environment, capture_output=True, text=True, check=False, timeout=120
            )

    @contextmanager
    def supervised(self) -> Iterator[None]:
        """As where `up` runs, if the servers are up: no command starts any, or tidies behind us."""
        if not self.is_up:
            yield
            return
        with Lock(self.data / "run" / "lock"):
            yield

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Make it the registry of this process, until the block ends: quicker than another one."""
        before = connection.settings_dict["NAME"]
        connection.close()
        connection.settings_dict["NAME"] = urlsplit(self.database_url).path[1:]
        self.data.mkdir(exist_ok=True)
        try:
            with override_settings(DATA_DIR=self.data):
                yield
        finally:
            connection.close()
            connection.settings_dict["NAME"] = before

    def restore(self, source: Path, *, seen: Path | None = None) -> Restored:
        """What the command does."""
        with self.entered():
            return restoring.restore(source, seen=seen, say=_quietly)

    def may_write(self) -> bool:
        """Whether a new session may."""
        with psycopg.connect(self.database_url) as session:
            found = session.execute("SHOW default_transaction_read_only").fetchone()
            return found == ("off",)

    def put_signer(self, folder: Path) -> Path:
        """Copy a signer's public files here, as they are now: ahead of older backups."""
        self.data.mkdir(exist_ok=True)
        (self.data / "authority").mkdir(mode=0o700)
        for name in SIGNER:
            shutil.copy(folder / name, self.data / "authority" / name)
        return self.data / "authority"


def _quietly(_text: str) -> None:
    """Say nothing."""


def forge(backup: Path, name: str, data: bytes) -> None:
    """Replace a file of a backup, and say in its manifest that it was always so."""
    (backup / name).write_bytes(data)
    manifest = json.loads((backup / "manifest.json").read_bytes())
    (entry,) = (each for each in manifest["files"] if each["name"] == name)
    entry |= {"sha256": sha256(data), "size": len(data)}
    (backup / "manifest.json").write_bytes(canonical.dumps(manifest))


def source() -> Place:
    """The registry under test."""
    return Place(data=Path(settings.DATA_DIR), database_url=_test_database_url(), is_up=True)


@contextmanager
def empty(folder: Path) -> Iterator[Place]:
    """Nothing: a folder that is not there, and a new database until the block ends."""
    name = f"restored_{secrets.token_hex(4)}"
    url = _test_database_url()
    before, _, query = url.partition("?")
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(f"CREATE DATABASE {name}")
        yield Place(data=folder, database_url=f"{before.rpartition('/')[0]}/{name}?{query}")
        session.execute(f"DROP DATABASE {name} WITH (FORCE)")
