# SPDX-License-Identifier: Apache-2.0
"""A mirror verifies from any web server after the registry is gone, by ours and by others."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest

from assay.signing.digests import as_id, sha256
from registry.catalog import services
from registry.catalog.models import Checkpoint, Project
from tests.needing import needs, require
from tests.registry.catalog.world import FILES, World, build, by_node, by_person, publish
from tests.registry.people import invite
from tests.running import Authority, Live, free_port, stop_live_programs
from tests.until import until

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / ".venv-clients" / "bin"
SECONDS = 120
# What a shell, an address or a list of sums might take for something else.
ODD = 'notes/it\'s 100 % "odd" #1? & $x;é.txt'

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """Somebody's folder, and the programs in it."""

    folder: Path
    live: Live
    world: World

    def run(self, *words: str, at: Path | None = None) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "ASSAY_CONFIG": str(self.folder / "config"), "COLUMNS": "80"}
        return subprocess.run(
            words,
            cwd=at or self.folder,
            env={**environment, "PATH": f"{PROGRAMS}:{environment['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )

    def assay(self, *words: str, at: Path | None = None, code: int = 0) -> str:
        done = self.run(sys.executable, "-m", "assay.signing.commands", *words, at=at)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def mirror(self, *more: str, name: str = "lab/small", code: int = 0) -> str:
        words = ("mirror", name, "kept", "--registry", self.live.url, *more)
        return self.assay(*words, code=code)

    @property
    def kept(self) -> Path:
        return self.folder / "kept"


@pytest.fixture
def shell(live: Live, authority: Authority, tmp_path: Path) -> Shell:
    """Two checkpoints with the same weights, and a registry that is trusted."""
    world = build(invite(), tmp_path / "texts")
    publish(by_person(world, files={**FILES, ODD: b"odd"}))
    publish(by_node(world))
    found = Shell(folder=tmp_path, live=live, world=world)
    fingerprint = as_id(authority.trust_root.fingerprint)
    found.assay("trust", "add", live.url, "--fingerprint", fingerprint)
    return found


def _answers(url: str) -> bool:
    try:
        httpx.get(url, timeout=60, trust_env=False)
    except httpx.TransportError:
        return False
    return True


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """By a web server that knows nothing of us."""
    port = free_port()
    words = (sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1")
    program = subprocess.Popen(
        words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        url = f"http://127.0.0.1:{port}/"
        until(lambda: _answers(url))
        yield url
    finally:
        program.terminate()
        program.wait()


def in_readme(folder: Path) -> list[str]:
    text = (folder / "README.txt").read_text()
    return [line.strip() for line in text.splitlines() if line.startswith("    ")]


@needs("openssl")
def test_it_verifies_after_the_registry_is_gone(shell: Shell) -> None:
    said = " ".join(shell.mirror().split())
    assert "2 of lab/small verified, 2 of them new" in said
    stop_live_programs()
    with pytest.raises(httpx.ConnectError):
        httpx.get(shell.live.url, trust_env=False)
    fetched = shell.folder / "elsewhere"
    fetched.mkdir()
    commands = in_readme(shell.kept)
    fetching = "\n".join(commands[-6:])
    with served(shell.kept) as url:
        done = shell.run("sh", "-ec", fetching.replace("URL", url), at=fetched)
        assert done.returncode == 0, done.stderr
    (shell.folder / "config").rename(shell.folder / "forgotten")
    for command in commands[:-6]:
        program, *words = shlex.split(command)
        if program == "model_signing" and not PROGRAMS.exists():
            continue
        if program == "assay":
            shell.assay(*words, at=fetched)
        else:
            done = shell.run(program, *words, at=fetched)
            assert done.returncode == 0, command + done.stdout + done.stderr
    assert {shlex.split(each)[0] for each in commands} >= {"assay", "openssl", "model_signing"}
    require("clients")  # without it, model_signing was not asked


def test_a_changed_byte_is_found_with_nobody_to_ask(shell: Shell) -> None:
    shell.mirror()
    (verifying,) = [each for each in in_readme(shell.kept) if each.startswith("assay verify")]
    weights = shell.kept / "checkpoints/step-000010/files/model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + b"?")
    said = shell.assay(*shlex.split(verifying)[1:], at=shell.kept, code=20)
    assert "changed: 'head.bias' of model.safetensors" in " ".join(said.split())
    assert shell.run("sha256sum", "--check", "SHA256SUMS", at=shell.kept).returncode == 1


def test_the_same_bytes_are_one_file_and_nothing_is_fetched_twice(shell: Shell) -> None:
    shell.mirror()
    folders = shell.kept / "checkpoints"
    one, other = (
        folders / name / "files" / "model.safetensors" for name in ("first", "step-000010")
    )
    assert one.samefile(other)
    before = one.stat().st_mtime_ns
    files = {**FILES, "more.txt": b"more"}
    publish(by_person(shell.world, "third", files=files))
    document = json.loads(shell.mirror("--json"))
    assert document["added"] == ["third"]
    assert [each["name"] for each in document["checkpoints"]] == ["third", "step-000010", "first"]
    assert (folders / "third" / "files" / "model.safetensors").stat().st_mtime_ns == before
    assert json.loads(shell.mirror("--json"))["added"] == []
    assert not [path for path in shell.kept.rglob("*") if path.name.endswith(".part")]


def test_a_project_that_was_moved_is_mirrored_by_both_its_names(shell: Shell) -> None:
    alice, project = shell.world.people.alice, shell.world.project
    services.move(project, owner=project.owner, name="new", by=alice)
    said = " ".join(shell.mirror("--json", name="lab/new", code=22).split())
    assert "add --signed-as lab/small" in said
    publish(replace(by_person(shell.world, "third"), project=Project.objects.get(name="new")))
    both = ("--json", "--signed-as", "lab/small")
    document = json.loads(shell.mirror(*both, name="lab/new"))
    assert sorted(document["added"]) == ["first", "step-000010", "third"]
    assert json.loads(shell.mirror(*both, name="lab/new"))["mended"] == []


def test_one_checkpoint_can_be_chosen_and_the_others_stay(shell: Shell) -> None:
    shell.mirror(name="lab/small@first")
    assert not (shell.kept / "checkpoints" / "step-000010").exists()
    document = json.loads(shell.mirror("--json", name="lab/small@step-000010"))
    assert document["added"] == ["step-000010"]
    assert {each["name"] for each in document["checkpoints"]} == {"first", "step-000010"}


def test_what_is_something_else_is_left_as_it_is(shell: Shell) -> None:
    shell.kept.mkdir()
    (shell.kept / "mine").write_text("mine")
    document = json.loads(shell.mirror("--json", code=35))
    assert (document["verified"], document["error"]["code"]) == (False, "destination-taken")
    assert [path.name for path in shell.kept.iterdir()] == ["mine"]


def test_what_does_not_verify_does_not_appear(shell: Shell) -> None:
    shell.assay("trust", "remove", "http://localhost:8000")
    shell.mirror(code=23)
    assert not shell.kept.exists()


def test_what_was_cut_off_is_gone_on_with(shell: Shell) -> None:
    parts = shell.kept / "checkpoints" / "first" / "files.part"
    parts.mkdir(parents=True)
    document = json.loads(shell.mirror("--json"))
    assert sorted(document["added"]) == ["first", "step-000010"]
    assert not parts.exists()


def test_the_sums_are_of_all_that_is_there_and_the_page_runs_nothing(shell: Shell) -> None:
    shell.mirror()
    (shell.kept / "stray").write_text("of somebody else")
    shell.mirror()
    lines = (shell.kept / "SHA256SUMS").read_text().splitlines()
    named = {line[66:] for line in lines}
    there = {
        path.relative_to(shell.kept).as_posix() for path in shell.kept.rglob("*") if path.is_file()
    }
    verified = {f"checkpoints/{name}/.verified" for name in ("first", "step-000010")}
    assert there - named == {"SHA256SUMS", "stray", *verified}
    assert named <= there
    for line in lines:
        assert sha256((shell.kept / line[66:]).read_bytes()) == line[:64]
    page = (shell.kept / "index.html").read_text()
    assert "<script" not in page
    assert "default-src 'none'" in page
    links = re.findall(r'href="([^"]+)"', page)
    assert links
    assert {each for each in links if not (shell.kept / unquote(each)).is_file()} == set()
    assert Checkpoint.objects.count() == 2
