# SPDX-License-Identifier: Apache-2.0
"""Each direct dependency is pinned, hashed and explained."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from .sources import ROOT

PAGE = ROOT / "docs" / "dependencies.md"
LOCKS = sorted((ROOT / "requirements").rglob("*.txt"))
INPUTS = sorted((ROOT / "requirements").rglob("*.in"))
PINNED = re.compile(r"^[a-z0-9.\-]+(?:\[[a-z,]+\])?==\S+(?: ; .+)? \\$")
NAME = re.compile(r"^([A-Za-z0-9.\-]+)")
EXPLAINED = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)


def names_in(path: Path) -> set[str]:
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    found = (NAME.match(line) for line in lines)
    return {match[1] for match in found if match is not None}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_package_of_a_lock_is_pinned_and_has_a_hash(lock: Path) -> None:
    lines = lock.read_text(encoding="utf-8").splitlines()
    packages = [number for number, line in enumerate(lines) if line and line[0] not in " #"]
    assert packages
    for number in packages:
        assert PINNED.match(lines[number]), lines[number]
        assert "--hash=sha256:" in lines[number + 1], lines[number]


def test_torch_is_in_no_lock() -> None:
    for lock in LOCKS:
        assert "\ntorch==" not in lock.read_text(encoding="utf-8")


def test_every_direct_dependency_is_explained_and_no_other() -> None:
    explained = set(EXPLAINED.findall(PAGE.read_text(encoding="utf-8")))
    direct = set().union(*(names_in(path) for path in INPUTS))
    for folder in ("frontend", "tests/clients/js"):
        package = json.loads((ROOT / folder / "package.json").read_text(encoding="utf-8"))
        direct |= set(package.get("dependencies", {})) | set(package.get("devDependencies", {}))
    assert explained == direct | {"torch"}


def test_what_the_wheel_needs_is_locked_too() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(each for extra in extras for each in extra)]
    names = {match[1] for match in map(NAME.match, wanted) if match}
    assert names <= names_in(ROOT / "requirements" / "base.in") | {"torch"}
