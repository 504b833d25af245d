# SPDX-License-Identifier: Apache-2.0
"""Bytes to train on: a dataset's files, split by digest, cut into windows by seed and step.

Which windows a step sees depends on the seed and the step alone, never on what ran before: this
is why an interrupted training continues identically, and why nothing of it need be saved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from assay.signing.digests import sha256
from assay.signing.manifest import FileEntry, Manifest

from .errors import UnusableData, WrongDigest

SEPARATOR = b"\0"
"""Between two files, so that a model can learn where one ends; no text holds it."""
VALIDATION_WINDOWS = 128
"""The same ones each time, so that two losses of one dataset compare."""
_SPLIT_DIGITS = 8
_SEED_DIGITS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """All bytes of a dataset in memory, split."""

    training: Tensor
    validation: Tensor

    def batch(self, *, seed: int, step: int, count: int, context_bytes: int) -> Tensor:
        """`count` windows of context and one byte more, each from a uniformly drawn place."""
        generator = torch.Generator().manual_seed(_mixed(seed, step))
        last = len(self.training) - context_bytes - 1
        starts = torch.randint(last + 1, (count,), generator=generator)
        return _windows(self.training, starts, context_bytes)

    def validation_windows(self, context_bytes: int) -> Tensor:
        """Evenly spaced windows of the held-out bytes."""
        last = len(self.validation) - context_bytes - 1
        starts = torch.linspace(0, last, VALIDATION_WINDOWS, dtype=torch.float64).long()
        return _windows(self.validation, starts, context_bytes)


def is_held_out(digest: str, one_in: int) -> bool:
    """Whether a file is kept for validation: decided by its content, wherever it lies."""
    return int(digest[:_SPLIT_DIGITS], 16) % one_in == 0


def load(
    manifest: Manifest, read: Callable[[FileEntry], bytes], *, one_in: int, context_bytes: int
) -> Corpus:
    """Read every file of a dataset in the manifest's order, verified against its digest."""
    training: list[bytes] = []
    validation: list[bytes] = []
    for entry in manifest.files:
        data = _verified(entry, read(entry))
        (validation if is_held_out(entry.sha256, one_in) else training).append(data)
    return Corpus(
        training=_joined(training, "training", context_bytes),
        validation=_joined(validation, "validation", context_bytes),
    )


def folder_reader(folder: Path) -> Callable[[FileEntry], bytes]:
    """Reads a manifest's files from the folder that it describes."""
    return lambda entry: folder.joinpath(*entry.name.split("/")).read_bytes()


def split_for(manifest: Manifest) -> int:
    """The usual share of held-out files, or a larger one where a small folder needs it."""
    digests = [entry.sha256 for entry in manifest.files]
    for one_in in (20, 10, 5, 3, 2):
        held_out = sum(is_held_out(digest, one_in) for digest in digests)
        if 0 < held_out < len(digests):
            return one_in
    raise UnusableData(
        "expected at least two different files, one of which can be held out for validation; "
        f"found {len(digests)} that cannot be split: cut a large file in several"
    )


def _mixed(seed: int, step: int) -> int:
    """One seed of two numbers. torch's CPU generator only looks at the lowest 32 bits."""
    return int(sha256(b"%d/%d" % (seed, step))[:_SEED_DIGITS], 16)


def _verified(entry: FileEntry, data: bytes) -> bytes:
    found = sha256(data)
    if found != entry.sha256:
        raise WrongDigest(f"{entry.name}: expected sha256:{entry.sha256}, found sha256:{found}")
    return data


def _joined(files: Sequence[bytes], part: str, context_bytes: int) -> Tensor:
    data = SEPARATOR.join(files)
    if len(data) <= context_bytes + 1:
        raise UnusableData(
            f"expected more than {context_bytes + 1} bytes of {part} data, "
            f"found {len(data)} in {len(files)} files"
        )
    return torch.frombuffer(bytearray(data), dtype=torch.uint8)


def _windows(data: Tensor, starts: Tensor, context_bytes: int) -> Tensor:
    places = starts[:, None] + torch.arange(context_bytes + 1)
    return data[places].long()
