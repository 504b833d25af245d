# SPDX-License-Identifier: Apache-2.0
"""The wheel runs in an environment that has its declared dependencies and nothing else."""

import importlib.metadata
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from .sources import ROOT

COPIED = ("pyproject.toml", "README.md", "LICENSE", "NOTICE", "signing", "trainers")
IGNORED = shutil.ignore_patterns("__pycache__")


def run(*command: object, folder: Path = ROOT) -> str:
    words = [str(word) for word in command]
    ended = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def with_all_it_requires(name: str, found: set[str]) -> set[str]:
    """A distribution and everything that it requires here, without extras."""
    if name not in found:
        found.add(name)
        for line in importlib.metadata.requires(name) or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                with_all_it_requires(requirement.name.lower(), found)
    return found


def copy_distribution(name: str, site: Path) -> None:
    for file in importlib.metadata.files(name) or ():
        if ".." not in file.parts and "__pycache__" not in file.parts:
            target = site / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(file.locate()), target)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy: the build leaves nothing in the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=IGNORED)
        else:
            shutil.copy(source, folder / name)
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", folder=folder)
    return next((folder / "dist").glob("*.whl"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """No network is needed: the dependencies are copied from this environment."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    site = next(folder.glob("lib/python3*/site-packages"))
    with zipfile.ZipFile(wheel) as archive:
        metadata = next(name for name in archive.namelist() if name.endswith("/METADATA"))
        lines = archive.read(metadata).decode().splitlines()
    wanted = [Requirement(line.split(":", 1)[1]) for line in lines if line.startswith("Requires-D")]
    needed: set[str] = set()
    for requirement in wanted:
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            with_all_it_requires(requirement.name.lower(), needed)
    for name in needed:
        copy_distribution(name, site)
    pip = (sys.executable, "-m", "pip", "--python", folder / "bin" / "python")
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel)
    return folder


def test_it_has_one_name_at_the_top(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"assay"}


def test_it_says_that_it_is_typed_and_under_which_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "assay/signing/py.typed" in names
    assert any(name.endswith("/licenses/LICENSE") for name in names)


def test_the_command_runs_without_django_and_torch(environment: Path) -> None:
    assert "verify" in run(environment / "bin" / "assay", "--help")
    python = environment / "bin" / "python"
    probe = "import importlib.util as u; print([u.find_spec(n) for n in ('django', 'torch')])"
    assert run(python, "-c", probe).strip() == "[None, None]"


def test_every_module_of_signing_imports(environment: Path) -> None:
    site = next(environment.glob("lib/python3*/site-packages"))
    modules = [
        ".".join(path.relative_to(site).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted((site / "assay" / "signing").rglob("*.py"))
        if path.stem != "__main__"
    ]
    assert len(modules) > 10
    run(environment / "bin" / "python", "-W", "error", "-c", f"import {', '.join(modules)}")
