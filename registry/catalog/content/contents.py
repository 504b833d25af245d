# SPDX-License-Identifier: Apache-2.0
"""What is known of a checkpoint's files without opening them: parameters, tensors, code to run."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath

from assay.signing.manifest import SIGNATURE_NAMES

from ..models import Checkpoint, File
from ..models.found import Inspection
from .formats import Tensors, ending

MODEL = re.compile(r"model[^/]*\.safetensors")
WEIGHTS = (".safetensors", ".gguf")
PYTHON = ".py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Of the files of a manifest, by name."""

    tensors: tuple[tuple[str, Tensors], ...] = ()
    """What the header of each file of safetensors says."""
    needing_code: tuple[str, ...] = ()
    """For which loaders run Python of the checkpoint's own, if they are told to trust it."""
    formats: tuple[str, ...] = ()
    """Of the weights: `safetensors`, `gguf`."""

    @property
    def parameters(self) -> dict[str, int]:
        """How many numbers of each type the model has: of `model….safetensors`, if there are any.

        Beside them lie states of optimizers and the like, which are nobody's parameters.
        """
        named = [said for name, said in self.tensors if MODEL.fullmatch(PurePosixPath(name).name)]
        counted: Counter[str] = Counter()
        for said in named or [said for _, said in self.tensors]:
            counted.update(dict(said.parameters))
        return dict(sorted(counted.items()))

    @property
    def count(self) -> int | None:
        """How many parameters there are; None where no file says it."""
        return sum(self.parameters.values()) if self.tensors else None


def of(checkpoint: Checkpoint) -> Contents:
    """In two queries, whatever the number of files."""
    files = File.objects.filter(checkpoint=checkpoint).exclude(name__in=SIGNATURE_NAMES)
    named = dict(files.order_by("name").values_list("name", "sha256"))
    found = Inspection.objects.in_bulk(set(named.values()))
    known = {name: found[sha256] for name, sha256 in named.items() if sha256 in found}
    endings = {ending(name) for name in named}
    return Contents(
        tensors=tuple((name, _tensors(each)) for name, each in known.items() if each.tensor_count),
        needing_code=tuple(name for name in named if _needs_code(name, known.get(name))),
        formats=tuple(each.removeprefix(".") for each in WEIGHTS if each in endings),
    )


def _needs_code(name: str, found: Inspection | None) -> bool:
    return name.lower().endswith(PYTHON) or (found is not None and found.needs_code)


def _tensors(found: Inspection) -> Tensors:
    said = {"listed": found.tensors, "count": found.tensor_count, "parameters": found.parameters}
    return Tensors.from_json(said)
