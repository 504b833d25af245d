# SPDX-License-Identifier: Apache-2.0
"""The program that makes safetensors of what torch.save wrote, shut in while it reads it.

python -m assay.trainers.converting INPUT OUTPUT SHA256

Both are descriptors that are open. Two lines of JSON on standard output say what came of it:
`{"confined": true}` before the file is opened, so that whatever ends the program without it is no
fault of the file's, and then `{"tensors": …}`, `{"expected": …, "found": …}` for what is refused,
or `{"unwritten": …}` where the disk did not take it. Instead of both, `{"unconfined": …}`.

It is started by a registry for one file of a stranger's, and ends with it: torch.load runs with
`weights_only`, and whatever gets past that is in a process that can read that file, write that
output, and nothing else.
"""

import errno
import io
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch

from .confine import Unconfined, confine

MEMORY_BYTES = 1 << 30  # beside the file itself, and as much again for one tensor's copy
BYTES_A_SECOND = 20 << 20
CPU_SECONDS = 30
GROWTH = 4  # how many times as long as the file the output may be: shared tensors become copies
MAX_TENSORS = 100_000
MAX_DEPTH = 16
MAX_HEADER_BYTES = 25_000_000
MAX_SHOWN = 200
LITTLE_MEMORY = "a file that takes little more memory than it is long"
ALIGNMENT = 8
PIECE_BYTES = 16 << 20
DTYPES = {
    torch.bool: "BOOL", torch.uint8: "U8", torch.int8: "I8", torch.int16: "I16",
    torch.uint16: "U16", torch.float16: "F16", torch.bfloat16: "BF16", torch.int32: "I32",
    torch.uint32: "U32", torch.float32: "F32", torch.float64: "F64", torch.int64: "I64",
    torch.uint64: "U64", torch.float8_e4m3fn: "F8_E4M3", torch.float8_e5m2: "F8_E5M2",
    torch.complex64: "C64",
}  # fmt: skip


class Refused(Exception):
    """What is in the file is not tensors by name."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"expected {expected}, found {found}")
        self.expected = expected
        self.found = found[:MAX_SHOWN]


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A tensor, and what it is called in the output."""

    name: str
    tensor: torch.Tensor

    @property
    def size_bytes(self) -> int:
        """Of its values, one after the other."""
        return self.tensor.numel() * self.tensor.element_size()


def main(argv: list[str]) -> int:
    """Convert, and say what came of it, where this machine can shut it in."""
    source, target, sha256 = int(argv[0]), int(argv[1]), argv[2]
    size_bytes = os.fstat(source).st_size
    torch.set_num_threads(1)
    warm_up()
    try:
        confine(
            source,
            memory_bytes=MEMORY_BYTES + 2 * size_bytes,
            cpu_seconds=CPU_SECONDS + size_bytes // BYTES_A_SECOND,
            written_bytes=GROWTH * size_bytes + MAX_HEADER_BYTES,
        )
    except Unconfined as error:
        say({"unconfined": str(error)})
        return 0
    say({"confined": True})
    say(converted(source, target, sha256))
    return 0


def say(answer: Mapping[str, object]) -> None:
    """One line."""
    sys.stdout.write(f"{json.dumps(answer)}\n")
    sys.stdout.flush()


def converted(source: int, target: int, sha256: str) -> dict[str, object]:
    """What the program says of it."""
    try:
        found = tensors(load(source))
        write(found, target, sha256, most_bytes=GROWTH * os.fstat(source).st_size)
    except Refused as refused:
        return {"expected": refused.expected, "found": refused.found}
    except MemoryError:
        return {"expected": LITTLE_MEMORY, "found": "more"}
    except OSError as error:  # of the output: `load` has an answer to all that reading raises
        return {"unwritten": error.strerror or type(error).__name__}
    return {"tensors": len(found)}


def load(source: int) -> object:
    """Whatever torch makes of it with weights_only; Refused for all that it does not read.

    What it reads from a zip stays in the file; the older format has to be read.
    """
    try:
        is_zip = _is_zip(source)
        path = f"/proc/self/fd/{source}"
        return torch.load(path, map_location="cpu", weights_only=True, mmap=is_zip)
    except RecursionError as error:
        raise Refused("values that end", "values within values") from error
    except MemoryError:
        raise
    except Exception as error:  # of a hostile file torch raises whatever there is
        raise Refused("what torch.load reads with weights_only", _in_short(error)) from error


def _in_short(error: Exception) -> str:
    """Of a page of advice the line that says what was found; torch begins it with advice."""
    _, _, reason = str(error).rpartition("WeightsUnpickler error: ")
    lines = [line.strip() for line in reason.splitlines() if line.strip()]
    if len(lines) > 1 and lines[0].startswith("Weights only load failed"):
        del lines[0]
    return lines[0] if lines else type(error).__name__


def _is_zip(source: int) -> bool:
    return os.pread(source, 2, 0) == b"PK"


def tensors(value: object) -> list[Named]:
    """Those of a mapping of tensors, or of mappings, by name; Refused for anything else."""
    found: dict[str, Named] = {}
    for name, each in _leaves(value, "", 0):
        if name in found:
            raise Refused("each name once", f"{name} twice")
        if len(found) == MAX_TENSORS:
            raise Refused(f"at most {MAX_TENSORS} tensors", "more")
        found[name] = Named(name=name, tensor=_plain(name, each))
    if not found:
        raise Refused("tensors by name", "none")
    return [found[name] for name in sorted(found)]


def _leaves(value: object, within: str, depth: int) -> Iterator[tuple[str, object]]:
    if depth > MAX_DEPTH:
        raise Refused(f"at most {MAX_DEPTH} mappings within each other", "more")
    if not isinstance(value, Mapping):
        raise Refused(
            f"a mapping of tensors by name{f' at {within}' if within else ''}",
            f"a {type(value).__name__}",
        )
    for key, each in value.items():
        if not isinstance(key, str) or not key or not _is_text(key):
            raise Refused("names that are text", f"{key!r} in {within or 'the file'}")
        name = f"{within}.{key}" if within else key
        if isinstance(each, torch.Tensor):
            yield name, each
        else:
            yield from _leaves(each, name, depth + 1)


def _is_text(key: str) -> bool:
    """A pickle may have half a surrogate pair, which no header can."""
    try:
        key.encode()
    except UnicodeEncodeError:
        return False
    return True


def _plain(name: str, value: object) -> torch.Tensor:
    assert isinstance(value, torch.Tensor)  # noqa: S101 - by _leaves
    tensor = value.detach()
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.device.type != "cpu":
        raise Refused(f"{name} as plain numbers", f"{tensor.layout} on {tensor.device}")
    if tensor.dtype not in DTYPES:
        raise Refused(f"{name} of a type that safetensors has", str(tensor.dtype))
    if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        raise Refused(f"{name} with as many values as are there", "a repetition of fewer")
    return tensor


def write(found: list[Named], target: int, sha256: str, *, most_bytes: int) -> None:
    """Header and values, in the order of the names; each has a copy, whatever shared its own."""
    header: dict[str, object] = {
        "__metadata__": {
            "format": "pt",
            "converted_from": f"sha256:{sha256}",
            "converted_by": f"torch {torch.__version__}, weights_only",
        }
    }
    at = 0
    for each in found:
        header[each.name] = {
            "dtype": DTYPES[each.tensor.dtype],
            "shape": list(each.tensor.shape),
            "data_offsets": [at, at + each.size_bytes],
        }
        at += each.size_bytes
    if at > most_bytes:
        raise Refused(f"at most {most_bytes} bytes of values, each for itself", f"{at}")
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    if len(text) > MAX_HEADER_BYTES:
        raise Refused(f"names that take at most {MAX_HEADER_BYTES} bytes", f"{len(text)}")
    with open(target, "wb", buffering=0, closefd=False) as file:
        _write(file, memoryview(len(text).to_bytes(8, "little") + text))
        for each in found:
            if each.size_bytes:
                _write(file, _bytes(_flat(each)))


def _flat(of: Named) -> torch.Tensor:
    try:
        return of.tensor.resolve_conj().resolve_neg().contiguous().reshape(-1)
    except RuntimeError as error:  # as torch says that there is no memory, too
        raise Refused(f"{of.name} that can be copied", _in_short(error)) from error


def _bytes(flat: torch.Tensor) -> memoryview:
    plain = torch.view_as_real(flat).reshape(-1) if flat.is_complex() else flat
    return plain.view(torch.uint8).numpy().data


def _write(file: io.RawIOBase, content: memoryview) -> None:
    try:
        while content:
            content = content[file.write(content[:PIECE_BYTES]) or 0 :]
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise Refused("an output of limited length", "a longer one") from error
        raise


def warm_up() -> None:
    """What torch loads of its own when it first reads and writes is loaded while it can be."""
    file = os.memfd_create("warm-up")
    value = {"a": {"b": torch.nn.Parameter(torch.ones(3, dtype=torch.bfloat16))}}
    for is_zip in (True, False):
        os.ftruncate(file, 0)
        os.lseek(file, 0, os.SEEK_SET)
        with os.fdopen(file, "wb", closefd=False) as stream:
            torch.save(value, stream, _use_new_zipfile_serialization=is_zip)
        converted(file, os.memfd_create("warmed-up"), "")
    os.close(file)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
