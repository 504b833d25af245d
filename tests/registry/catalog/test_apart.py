# SPDX-License-Identifier: Apache-2.0
"""Files are read in a process apart: what costs too much is refused, and harms nobody else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from registry.catalog.content import formats
from registry.catalog.content.formats import Accepted, Format, Refused, apart, gate
from tests.registry.catalog.weights import file, tensor, weights
from tests.until import until


@pytest.fixture(autouse=True)
def _others() -> Iterator[None]:
    """What a test has changed of a process, no other test meets; nor any what others left."""
    apart.end_all()
    yield
    apart.end_all()


def written(folder: Path, content: bytes) -> Path:
    path = folder / "blob"
    path.write_bytes(content)
    return path


def test_it_says_what_the_gate_says(tmp_path: Path) -> None:
    path = written(tmp_path, b'{"auto_map": {"AutoModel": "modeling.Mine"}}')
    assert formats.check("config.json", path) == Accepted(format=Format.JSON, needs_code=True)
    with pytest.raises(Refused, match="expected a header that starts with"):
        formats.check("model.safetensors", written(tmp_path, file(b"[]")))


def test_one_process_answers_after_another(tmp_path: Path) -> None:
    path = written(tmp_path, weights())
    for _ in range(3):
        formats.check("model.safetensors", path)
    assert len(apart._idle) == 1


def test_many_ask_at_once_and_few_processes_stay(tmp_path: Path) -> None:
    path = written(tmp_path, weights())
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: formats.check("model.safetensors", path), range(24)))
    said = gate.check("model.safetensors", path)
    assert set(answers) == {said}
    assert said.format == Format.SAFETENSORS
    assert len(apart._idle) <= apart.MAX_IDLE


def heavy(tensors: int) -> bytes:
    return file({f"t{n}": tensor(n, n + 1) for n in range(tensors)}, bytes(tensors))


def instead(monkeypatch: pytest.MonkeyPatch, folder: Path, words: str) -> None:
    """The process apart is another from here on: these words come before its own."""
    code = f"from registry.catalog.content.formats import child; {words}; child.main()"
    program = folder / "python"
    program.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{code}'\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))


def test_what_takes_too_much_memory_is_refused(tmp_path: Path) -> None:
    content = b"[" + b",".join([b'{"a":1}'] * 1_900_000) + b"]"
    with pytest.raises(Refused, match="within 1 s and 256 MiB, found one that takes more"):
        formats.check("tokenizer.json", written(tmp_path, content))
    formats.check("model.safetensors", written(tmp_path, weights()))


def test_what_takes_too_long_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file is known that does: here the check itself never ends."""
    instead(monkeypatch, tmp_path, "child.check = lambda *_: all(True for _ in iter(int, 1))")
    with pytest.raises(Refused, match="within 1 s and 256 MiB, found one that takes more"):
        formats.check("a.txt", written(tmp_path, b"a"))


def test_an_honest_header_of_many_tensors_is_read(tmp_path: Path) -> None:
    """As many as even a slow processor reads in time."""
    formats.check("model.safetensors", written(tmp_path, heavy(20_000)))


def test_an_honest_header_near_the_limit_fits_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In how much time, the processor says."""
    instead(monkeypatch, tmp_path, "child.CPU_SECONDS = 60")
    formats.check("model.safetensors", written(tmp_path, heavy(90_000)))


def test_another_end_is_a_fault_of_ours(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="expected an answer of the process apart"):
        formats.check("model.safetensors", tmp_path / "absent")


def test_it_knows_nothing_of_our_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://secret")
    formats.check("a.txt", written(tmp_path, b"a"))
    (process,) = apart._idle
    assert Path(f"/proc/{process.program.pid}/environ").read_bytes() == b""


def test_it_ends_with_whoever_started_it(tmp_path: Path) -> None:
    code = (
        "import os; from pathlib import Path; from registry.catalog.content.formats import apart;"
        f"apart.check('a.txt', Path({str(written(tmp_path, b'a'))!r}));"
        "print(apart._idle[0].program.pid, flush=True); os._exit(0)"
    )
    words = (sys.executable, "-c", code)
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    until(lambda: not Path(f"/proc/{int(done.stdout)}/cmdline").exists())
