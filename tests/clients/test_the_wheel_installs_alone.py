# SPDX-License-Identifier: Apache-2.0
"""The wheel alone, in an empty environment, verifies: no Django, no torch, one name at the top.

The dependencies are those that the hashed lock brought into this environment, moved over file by
file, so that no network is needed; `pip check` says whether any is missing.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from assay.signing.digests import as_id
from tests.signing.world import AT, FILES, TEXT, World

ROOT = Path(__file__).parents[2]
SECONDS = 300
OF_OTHERS = """\
import assay

trust = assay.trust_root("root.json")
verified: assay.Verified = assay.verify("text.txt", evidence="answer.json", trust=trust)
reveal_type(verified.match)
assay.verify(1)
assay.verfy("text.txt")
"""


def _run(*words: object, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        cwd="/",
        env={**environment, "PYTHONIOENCODING": "utf-8", **more},
    )


def _needed(requirements: list[str]) -> Iterator[metadata.Distribution]:
    """Every distribution that these need, and what those need in turn."""
    found: set[str] = set()
    todo = list(requirements)
    while todo:
        requirement = Requirement(todo.pop())
        is_extra = requirement.marker and not requirement.marker.evaluate({"extra": ""})
        if is_extra or requirement.name in found:
            continue
        found.add(requirement.name)
        distribution = metadata.distribution(requirement.name)
        todo += distribution.requires or []
        yield distribution


def _move(distribution: metadata.Distribution, site: Path) -> None:
    """Put a distribution's files into another environment."""
    for file in distribution.files or []:
        if file.parts[0] != ".." and file.suffix != ".pyc":
            target = site / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(Path(str(file.locate())), target)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `./run dist` builds."""
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("assay-*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel, its dependencies, and nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    assert _run(sys.executable, "-m", "venv", "--without-pip", folder).returncode == 0
    (site,) = folder.glob("lib/python3.*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        (described,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        lines = archive.read(described).decode().splitlines()
    stated = [line.partition(": ")[2] for line in lines if line.startswith("Requires-Dist: ")]
    for distribution in _needed(stated):
        _move(distribution, site)
    pip = (sys.executable, "-m", "pip", "--python", folder / "bin" / "python")
    done = _run(*pip, "install", "--no-index", "--no-deps", "--no-compile", wheel)
    assert done.returncode == 0, done.stderr
    done = _run(*pip, "check")
    assert done.returncode == 0, done.stdout
    return folder


def test_at_the_top_level_there_is_nothing_of_ours_but_assay(environment: Path) -> None:
    (site,) = environment.glob("lib/python3.*/site-packages")
    words = "import importlib.metadata as m, json; print(json.dumps(m.packages_distributions()))"
    tops = json.loads(_run(environment / "bin" / "python", "-c", words).stdout)
    assert [name for name, owners in tops.items() if "assay" in owners] == ["assay"]
    names = {path.name for path in (site / "assay").iterdir()} - {"__pycache__"}
    assert names == {"__init__.py", "py.typed", "signing", "trainers"}
    for name in ("signing", "trainers", "toplevel.py", "registry", "tests", "frontend"):
        assert not (site / name).exists()


@pytest.mark.parametrize("name", ["django", "torch", "numpy", "safetensors", "signing", "registry"])
def test_neither_django_nor_torch_is_there(environment: Path, name: str) -> None:
    done = _run(environment / "bin" / "python", "-c", f"import {name}")
    assert f"No module named '{name}'" in done.stderr


def test_the_command_tells_its_version(environment: Path, wheel: Path) -> None:
    done = _run(environment / "bin" / "assay", "--version")
    assert (done.returncode, done.stdout) == (0, f"assay {wheel.name.split('-')[1]}\n")


def test_what_trains_says_what_it_lacks(environment: Path) -> None:
    done = _run(environment / "bin" / "assay-train", "--help")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("assay-train needs ")
    assert done.stderr.endswith(": pip install 'assay[train]'\n")


def test_it_pins_and_verifies_offline(environment: Path, tmp_path: Path) -> None:
    world = World.create(at=AT)
    root, answer, folder = (tmp_path / name for name in ("root.json", "answer.json", "step-100"))
    root.write_bytes(world.trust.canonical())
    evidence = world.evidence_for_output()
    answer.write_text(json.dumps({"text": TEXT, "evidence": evidence.to_json()}))
    folder.mkdir()
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    assay = environment / "bin" / "assay"
    config = {"ASSAY_CONFIG": str(tmp_path / "config")}
    fingerprint = as_id(world.trust.fingerprint)
    assert _run(assay, "verify", answer, **config).returncode == 23
    done = _run(assay, "trust", "add", root, "--fingerprint", fingerprint, **config)
    assert done.returncode == 0, done.stderr
    done = _run(assay, "verify", answer, "--checkpoint", folder, **config)
    assert (done.returncode, "Verified." in done.stdout) == (0, True)
    answer.write_text(json.dumps({"text": TEXT + "!", "evidence": evidence.to_json()}))
    assert _run(assay, "verify", answer, **config).returncode == 21


def test_the_guides_program_runs_on_the_wheel_alone(environment: Path, tmp_path: Path) -> None:
    """Exactly as it stands in docs/guides/verifier.md."""
    world = World.create(at=AT)
    guide = (ROOT / "docs" / "guides" / "verifier.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(import assay\n.*?)```", guide, re.DOTALL)
    assert found is not None
    program, text = tmp_path / "check.py", tmp_path / "text.txt"
    program.write_text(f"import os; os.chdir({str(tmp_path)!r})\n{found[1]}")
    evidence = world.evidence_for_output().to_json()
    (tmp_path / "answer.json").write_text(json.dumps({"evidence": evidence}))
    (tmp_path / "root.json").write_bytes(world.trust.canonical())
    text.write_text(TEXT, encoding="utf-8")
    config = {"ASSAY_CONFIG": str(tmp_path / "config")}
    done = _run(environment / "bin" / "python", program, **config)
    assert (done.returncode, done.stdout) == (
        0,
        "identical alice/tiny 2026-11-20 09:30:00+00:00\n",
    )
    text.write_text("another", encoding="utf-8")
    done = _run(environment / "bin" / "python", program, **config)
    assert (done.returncode, "TextMismatch" in done.stderr) == (1, True)


def test_its_types_are_for_others_too(environment: Path, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(OF_OTHERS, encoding="utf-8")
    of_theirs = ("--python-executable", environment / "bin" / "python", "--cache-dir", tmp_path)
    done = _run(sys.executable, "-m", "mypy", "--strict", *of_theirs, program)
    revealed, wrong, unknown, _summary = done.stdout.splitlines()
    assert revealed.endswith(':5: note: Revealed type is "assay.signing.verify.report.Match"')
    assert ':6: error: Argument 1 to "verify" has incompatible type "int"' in wrong
    assert ':7: error: Module has no attribute "verfy"; maybe "verify"?' in unknown
