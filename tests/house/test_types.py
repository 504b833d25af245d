# SPDX-License-Identifier: Apache-2.0
"""The type checkers see signing/ through its links: a mistake put there is reported."""

import subprocess
import sys
from pathlib import Path

import pytest

from .sources import ROOT

MISTAKE = '\n\nMISTAKE: int = "not a number"\n'


@pytest.mark.parametrize("module", ["__init__.py", "signing/merkle.py", "trainers/config.py"])
def test_mypy_sees_a_mistake_behind_the_links(tmp_path: Path, module: str) -> None:
    link = next((ROOT / ".venv" / "lib").glob("python3*/site-packages/assay")) / module
    changed = tmp_path / "changed.py"
    changed.write_text(link.read_text(encoding="utf-8") + MISTAKE, encoding="utf-8")
    name = f"assay/{module}".removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    command = [sys.executable, "-m", "mypy", f"--cache-dir={tmp_path}", "-m", name]
    ended = subprocess.run(
        [*command, "--shadow-file", str(link), str(changed)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert 'Incompatible types in assignment (expression has type "str"' in ended.stdout


def test_pyright_sees_a_mistake_in_signing(tmp_path: Path) -> None:
    pyright = ROOT / "frontend" / "node_modules" / ".bin" / "pyright"
    package = tmp_path / "signing"
    package.mkdir()
    (package / "merkle.py").write_text(
        (ROOT / "signing" / "merkle.py").read_text(encoding="utf-8") + MISTAKE, encoding="utf-8"
    )
    (package / "__init__.py").touch()
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    ended = subprocess.run(
        [str(pyright), "--project", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert "Type \"Literal['not a number']\" is not assignable" in ended.stdout
    assert ended.returncode == 1
