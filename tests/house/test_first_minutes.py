# SPDX-License-Identifier: Apache-2.0
"""The benchmark of the first minutes begins from nothing, and stops at what does not verify."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from .sources import ROOT

FINGERPRINT = f"sha256:{'5' * 64}"
ASSAY = '#!/bin/sh\necho "$@" >> "$0.asked"\n[ "$1" != {fails} ] || exit 20\n'


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    path = ROOT / "bench" / "first_minutes.py"
    spec = importlib.util.spec_from_file_location("first_minutes", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "first_minutes", module)  # dataclasses look it up
    spec.loader.exec_module(module)
    return module


def verify(bench: ModuleType, folder: Path, *, fails: str) -> list[str]:
    """What an `assay` was asked for that fails at one word."""
    program = folder / "checkout" / ".venv" / "bin" / "assay"
    program.parent.mkdir(parents=True)
    program.write_text(ASSAY.format(fails=fails), encoding="utf-8")
    program.chmod(0o755)
    (folder / "up.log").write_text(f"Its fingerprint is\n    {FINGERPRINT}\n", encoding="utf-8")
    copy = folder / "checkout"
    reader = bench.Reader(copy=copy, environment=dict(os.environ), url="http://localhost:1")
    reader.verify("step-000010")
    return program.with_name("assay.asked").read_text(encoding="utf-8").splitlines()


def test_no_environment_and_no_data_are_copied(bench: ModuleType) -> None:
    names = [".venv", ".venv-clients", ".venv-mlflow", ".data", "signing"]
    assert set(names) - bench.LEFT_OUT("", names) == {"signing"}


def test_a_checkpoint_is_verified_under_the_fingerprint_that_was_printed(
    bench: ModuleType, tmp_path: Path
) -> None:
    asked = verify(bench, tmp_path, fails="nothing")
    assert asked[0] == f"trust add http://localhost:1 --fingerprint {FINGERPRINT}"
    assert [line.split()[0] for line in asked] == ["trust", "download", "verify", "trust"]


def test_a_checkpoint_that_does_not_verify_ends_it(bench: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="assay verify ended with 20"):
        verify(bench, tmp_path, fails="verify")
