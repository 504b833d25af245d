# SPDX-License-Identifier: Apache-2.0
"""What torch.save wrote becomes safetensors; whatever else is in the file is refused, unrun."""

from __future__ import annotations

import io
import json
import os
import pickle
import resource
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from assay.trainers import converting
from registry.catalog.content.formats import gate

SHA256 = "ab" * 32
GROUP = torch.arange(12, dtype=torch.float32).reshape(3, 4)


# The older format has no storages of these types.
UNKNOWN_BEFORE = {
    *(torch.uint16, torch.uint32, torch.uint64),
    *(torch.float8_e4m3fn, torch.float8_e5m2),
}


@pytest.fixture
def target(tmp_path: Path) -> Iterator[int]:
    with (tmp_path / "model.safetensors").open("wb") as file:
        yield file.fileno()


def saved(value: object, *, is_zip: bool = True) -> bytes:
    file = io.BytesIO()
    torch.save(value, file, _use_new_zipfile_serialization=is_zip)
    return file.getvalue()


def convert(tmp_path: Path, target: int, content: bytes) -> dict[str, Any]:
    path = tmp_path / "source.pt"
    path.write_bytes(content)
    with path.open("rb") as file:
        return converting.converted(file.fileno(), target, SHA256)


def result(tmp_path: Path) -> dict[str, torch.Tensor]:
    path = tmp_path / "model.safetensors"
    gate.check(path.name, path)
    return dict(safetensors.torch.load_file(path))


@pytest.mark.parametrize("is_zip", [True, False], ids=["zip", "before zip"])
def test_each_tensor_is_there_with_its_type_shape_and_values(
    tmp_path: Path, target: int, is_zip: bool
) -> None:
    given = {
        str(dtype): (GROUP * 0.25).to(dtype)
        for dtype in converting.DTYPES
        if is_zip or dtype not in UNKNOWN_BEFORE
    } | {"scalar": torch.tensor(3), "empty": torch.ones(0, 3)}
    assert convert(tmp_path, target, saved(given, is_zip=is_zip)) == {"tensors": len(given)}
    found = result(tmp_path)
    assert found.keys() == given.keys()
    for name, each in given.items():
        assert each.dtype == found[name].dtype
        assert torch.equal(each, found[name])


def test_what_is_shared_turned_or_a_parameter_has_a_copy_of_its_own(
    tmp_path: Path, target: int
) -> None:
    given = {
        "a": GROUP,
        "tied": GROUP,
        "turned": GROUP.t(),
        "part": GROUP[1],
        "learnt": torch.nn.Parameter(GROUP),
        "conjugate": torch.view_as_complex(GROUP.reshape(6, 2).clone()).conj(),
    }
    convert(tmp_path, target, saved(given))
    found = result(tmp_path)
    for name, each in given.items():
        assert torch.equal(each.detach().resolve_conj(), found[name]), name


def test_mappings_within_mappings_are_flattened_by_dots(tmp_path: Path, target: int) -> None:
    given = {"model": {"layer.0": {"w": GROUP}}, "head": GROUP}
    convert(tmp_path, target, saved(given))
    assert result(tmp_path).keys() == {"model.layer.0.w", "head"}


def test_a_models_own_state_converts(tmp_path: Path, target: int) -> None:
    state = torch.nn.TransformerEncoderLayer(8, 2, 16).state_dict()
    convert(tmp_path, target, saved(state))
    found = result(tmp_path)
    assert {name: tuple(each.shape) for name, each in found.items()} == {
        name: tuple(each.shape) for name, each in state.items()
    }


def test_the_result_says_what_it_was_made_of(tmp_path: Path, target: int) -> None:
    convert(tmp_path, target, saved({"a": GROUP}))
    content = (tmp_path / "model.safetensors").read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert header["__metadata__"]["converted_from"] == f"sha256:{SHA256}"


class Calls:
    """Unpickled, it runs a program that leaves a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.path}",)


def reduced(module: str, name: str, argument: bytes) -> bytes:
    """A pickle of protocol 2 that calls what it names."""
    call = f"c{module}\n{name}\n".encode()
    return b"\x80\x02" + call + b"(X" + struct.pack("<I", len(argument)) + argument + b"tR."


def zipped(pickled: bytes, **records: bytes) -> bytes:
    """As torch.save lays it out."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/version", b"3\n")
        archive.writestr("archive/byteorder", b"little")
        for name, content in records.items():
            archive.writestr(f"archive/data/{name}", content)
    return file.getvalue()


def bombed() -> bytes:
    """A record that unpacks to far more than the file is long."""
    plain = zipfile.ZipFile(io.BytesIO(saved({"a": torch.zeros(1 << 20)})))
    file = io.BytesIO()
    with plain, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in plain.namelist():
            archive.writestr(name, plain.read(name))
    return file.getvalue()


def lying() -> bytes:
    """A tensor of a million values whose storage has one."""
    plain = zipfile.ZipFile(io.BytesIO(saved({"a": torch.zeros(1 << 20)})))
    with plain:
        names = {name.rpartition("/")[2]: name for name in plain.namelist()}
        pickled = plain.read(names["data.pkl"])
    return zipped(pickled, **{"0": b"\x00" * 4})


def endless() -> bytes:
    """A mapping that is its own value."""
    value: dict[str, object] = {}
    value["a"] = value
    return saved(value)


def hostile(tmp_path: Path) -> dict[str, bytes]:
    evil = Calls(tmp_path / "ran")
    touch = f"touch {tmp_path}/ran".encode()
    return {
        "a call within torch's zip": saved({"a": evil}),
        "a call before zip": saved({"a": evil}, is_zip=False),
        "a pickle alone": pickle.dumps(evil),
        "os.system by its name": reduced("posix", "system", touch),
        "eval": reduced("builtins", "eval", b"__import__('os').system('x')"),
        "a name of torch's that loads": reduced("torch", "load", touch),
        "a name of torch's that compiles": zipped(reduced("torch.jit", "load", touch)),
        "a call in a zip of our own": zipped(reduced("posix", "system", touch)),
        "a bomb": bombed(),
        "a storage that is shorter than it says": lying(),
        "a mapping within itself": endless(),
        "levels without end": saved(deep(50)),
        "a repetition": saved({"a": torch.ones(1).expand(1 << 40)}),
        "numbers among them": saved({"a": GROUP, "epoch": 3}),
        "a list": saved([GROUP]),
        "a tensor alone": saved(GROUP),
        "names that are numbers": saved({1: GROUP}),
        "a name without letters": saved({"": GROUP}),
        "half a surrogate pair": saved({"a": {"\udc80": GROUP}}),
        "one name twice": saved({"a.b": GROUP, "a": {"b": GROUP}}),
        "nothing": saved({}),
        "a sparse tensor": saved({"a": GROUP.to_sparse()}),
        "a tensor without values": saved({"a": torch.ones(3, device="meta")}),
        "a type that safetensors has not": saved({"a": torch.ones(2, dtype=torch.complex128)}),
        "no file": b"",
        "half a file": saved({"a": GROUP})[:200],
        "text": b"import os\n",
        "a zip of nothing": zipped(b""),
        "safetensors": safetensors.torch.save({"a": GROUP}),
    }


def deep(levels: int) -> dict[str, object]:
    value: dict[str, object] = {"x": GROUP}
    for _ in range(levels):
        value = {"x": value}
    return value


NAMES = sorted(hostile(Path("/nonexistent")))


@pytest.mark.filterwarnings("ignore")  # torch warns of what it then refuses
@pytest.mark.parametrize("name", NAMES)
def test_anything_else_is_refused_with_what_was_found(
    tmp_path: Path, target: int, name: str
) -> None:
    said = convert(tmp_path, target, hostile(tmp_path)[name])
    assert not (tmp_path / "ran").exists()
    if name == "a bomb":  # in here it has memory enough; what limits it is in test_confine.py
        return
    assert said.keys() == {"expected", "found"}, said
    assert said["expected"]
    assert said["found"]


def test_the_reason_is_the_line_that_says_what_was_found(tmp_path: Path, target: int) -> None:
    said = convert(tmp_path, target, saved({"a": Calls(tmp_path / "ran")}))
    assert "posix.system" in said["found"]


@pytest.mark.parametrize(
    ("limit", "value", "message"),
    [
        ("MAX_TENSORS", 1, "at most 1 tensors"),
        ("MAX_HEADER_BYTES", 10, "names that take at most 10 bytes"),
        ("GROWTH", 0, "at most 0 bytes of values"),
    ],
)
def test_its_limits(
    tmp_path: Path,
    target: int,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    value: int,
    message: str,
) -> None:
    monkeypatch.setattr(converting, limit, value)
    said = convert(tmp_path, target, saved({"a": GROUP, "b": GROUP}))
    assert message in said["expected"]


NO_MEMORY = {
    "torch's": (
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
        ("a that can be copied", "DefaultCPUAllocator: can't allocate memory"),
    ),
    "Python's": (MemoryError(), (converting.LITTLE_MEMORY, "more")),
}


@pytest.mark.parametrize(("error", "said"), NO_MEMORY.values(), ids=NO_MEMORY)
def test_what_there_is_no_memory_to_copy_is_refused(
    tmp_path: Path,
    target: int,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    said: tuple[str, str],
) -> None:
    def fails(_: torch.Tensor) -> torch.Tensor:
        raise error

    content = saved({"a": GROUP})
    monkeypatch.setattr(torch.Tensor, "contiguous", fails)
    assert tuple(convert(tmp_path, target, content).values()) == said


def test_an_output_above_its_limit_is_refused(tmp_path: Path, target: int) -> None:
    path = tmp_path / "source.pt"
    path.write_bytes(saved({"a": GROUP}))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with path.open("rb") as file:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
        try:
            said = converting.converted(file.fileno(), target, SHA256)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert said == {"expected": "an output of limited length", "found": "a longer one"}


def test_a_disk_that_is_full_is_no_fault_of_the_files(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb", buffering=0) as full:
        said = convert(tmp_path, full.fileno(), saved({"a": GROUP}))
    assert said == {"unwritten": "No space left on device"}


def run(tmp_path: Path, content: bytes) -> tuple[int, str]:
    """The program itself, as a registry starts it."""
    (tmp_path / "source.pt").write_bytes(content)
    output = tmp_path / "model.safetensors"
    with (tmp_path / "source.pt").open("rb") as source, output.open("wb") as target:
        fds = (source.fileno(), target.fileno())
        one = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        measured = {name: each for name, each in os.environ.items() if "COVERAGE" in name}
        ended = subprocess.run(
            [sys.executable, "-m", converting.__name__, *map(str, fds), SHA256],
            pass_fds=fds,
            capture_output=True,
            text=True,
            check=False,
            env={**one, **measured},
        )
    return ended.returncode, ended.stdout


def test_the_program_converts_shut_in(tmp_path: Path) -> None:
    half = GROUP.bfloat16()
    given = {"a": half, "b": {"c": torch.nn.Parameter(GROUP)}}
    assert run(tmp_path, saved(given)) == (0, '{"confined": true}\n{"tensors": 2}\n')
    assert torch.equal(result(tmp_path)["a"], half)
    assert run(tmp_path, saved(given, is_zip=False)) == (0, '{"confined": true}\n{"tensors": 2}\n')


def test_the_program_unpacks_no_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = saved({"a": torch.zeros(1 << 29, dtype=torch.uint8)})
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as plain,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name in plain.namelist():
            archive.writestr(name, plain.read(name))
    assert len(file.getvalue()) < 1 << 20
    code, said = run(tmp_path, file.getvalue())
    assert code != 0 or "expected" in json.loads(said.splitlines()[1])
    assert (tmp_path / "model.safetensors").stat().st_size < 1 << 26
