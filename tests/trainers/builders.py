# SPDX-License-Identifier: Apache-2.0
"""Short builders for the trainers' tests: a tiny recipe, and text that a tiny model can learn."""

from collections.abc import Mapping
from pathlib import Path

import torch

from assay.signing.manifest import Manifest
from assay.trainers import data
from assay.trainers.config import Recipe
from assay.trainers.data import Corpus
from assay.trainers.loop import LossPoint, Training
from assay.trainers.runtime import Machine, Precision

CPU = Machine(device=torch.device("cpu"), precision=Precision.FLOAT32, threads=1)


def recipe_document(**changes: object) -> dict[str, object]:
    """A recipe of some thousand parameters, with some of its top fields replaced."""
    document: dict[str, object] = {
        "trainer": "byte-gpt/v1",
        "model": {"layers": 2, "width": 32, "heads": 2, "context_bytes": 32},
        "data": {"validation_one_in": 4},
        "batch": {"sequences": 8, "accumulate": 1},
        "schedule": {"steps": 12, "warmup_steps": 2, "cooldown_steps": 4},
        "optimizer": {
            "muon_rate": "0.02",
            "adamw_rate": "0.003",
            "weight_decay": "0.01",
            "clip_norm": "1.0",
        },
        "checkpoint_every_steps": 6,
        "validate_every_steps": 4,
        "seed": 1337,
        "sample": {"prompt": "def ", "max_new_bytes": 24, "temperature": "0.7", "seed": 7},
    }
    return {**document, **changes}


def tiny_recipe(**changes: object) -> Recipe:
    return Recipe.parse(recipe_document(**changes))


def write_texts(folder: Path, count: int = 12) -> Manifest:
    """Write a folder of small, regular texts and give its manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        lines = [f"def f{number}_{line}(self):\n    return {line}\n" for line in range(30)]
        (folder / f"text_{number:02}.py").write_text("\n".join(lines), encoding="utf-8")
    return Manifest.of_folder(folder)


def tiny_corpus(folder: Path, recipe: Recipe) -> Corpus:
    manifest = write_texts(folder)
    return data.load(
        manifest,
        data.folder_reader(folder),
        one_in=recipe.validation_one_in,
        context_bytes=recipe.model.context_bytes,
    )


class Notebook:
    """An observer that writes down what it is told, and stops after a step if asked to."""

    def __init__(self, *, stop_after: int | None = None) -> None:
        self.points: list[LossPoint] = []
        self.checkpoints: list[int] = []
        self._stop_after = stop_after

    def on_loss(self, point: LossPoint) -> None:
        self.points.append(point)

    def on_checkpoint(self, training: Training, point: LossPoint) -> None:
        assert training.step == point.step
        self.checkpoints.append(point.step)

    def is_stopped(self) -> bool:
        return bool(self.points) and self.points[-1].step == self._stop_after


def changed(document: Mapping[str, object], outer: str, **inner: object) -> dict[str, object]:
    """A recipe document with some fields of one of its parts replaced."""
    part = document[outer]
    assert isinstance(part, dict)
    return {**document, outer: {**part, **inner}}
