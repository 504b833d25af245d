# SPDX-License-Identifier: Apache-2.0
"""One supervisor for one data folder."""

import os
from pathlib import Path

import pytest

from registry.supervisor.errors import AlreadyRunning
from registry.supervisor.lock import Lock


def test_a_second_one_is_told_who_runs(tmp_path: Path) -> None:
    with (
        Lock(tmp_path / "lock"),
        pytest.raises(AlreadyRunning, match=rf"\(process {os.getpid()}\)"),
        Lock(tmp_path / "lock"),
    ):
        pass


def test_when_the_first_is_gone_the_second_may(tmp_path: Path) -> None:
    with Lock(tmp_path / "lock"):
        pass
    with Lock(tmp_path / "lock"):
        pass


def test_one_that_was_killed_is_remembered(tmp_path: Path) -> None:
    with Lock(tmp_path / "lock") as lock:
        assert not lock.was_left
    (tmp_path / "lock").write_text("12345\n", encoding="ascii")
    with Lock(tmp_path / "lock") as lock:
        assert lock.was_left
    with Lock(tmp_path / "lock") as lock:
        assert not lock.was_left
