# SPDX-License-Identifier: Apache-2.0
"""`assay-train train`: train on a folder of text, with no registry."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import threading
from pathlib import Path

from assay.signing import canonical
from assay.signing.canonical import as_mapping
from assay.signing.digests import as_id
from assay.signing.manifest import Manifest

from .. import data, runtime, sampling, saving
from ..card import Origin, card
from ..config import Recipe
from ..loop import LossPoint, Training, train
from ..recipes import standard
from ..runtime import Machine
from .process import stop_on_signals

_logger = logging.getLogger(__name__)


def add(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The word and its options."""
    word = words.add_parser(
        "train",
        help="train on a folder of text",
        description=(
            "Train a byte-level model on every file below a folder. Started again with the same "
            "--out, it goes on from the last checkpoint exactly as if it had never stopped."
        ),
    )
    word.add_argument("folder", type=Path, help="the text: any files, read as bytes")
    word.add_argument("--out", type=Path, required=True, help="where checkpoints are written")
    word.add_argument("--recipe", type=Path, help="a recipe in JSON (default: the standard one)")
    word.add_argument("--threads", type=int, help="processor threads to use (default: all cores)")
    word.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Train to the recipe's end, or until a signal."""
    stopped = stop_on_signals()
    machine = runtime.settle(threads=arguments.threads)
    manifest = Manifest.of_folder(arguments.folder)
    recipe = _recipe(arguments.recipe, manifest)
    corpus = data.load(
        manifest,
        data.folder_reader(arguments.folder),
        one_in=recipe.validation_one_in,
        context_bytes=recipe.model.context_bytes,
    )
    training = _training(recipe, machine, arguments.out)
    origin = Origin(
        title=arguments.folder.resolve().name,
        data=f"`sha256:{manifest.id}`, {len(manifest.files)} files",
    )
    train(training, corpus, _Folder(arguments.out, origin, stopped))
    return 0


def _training(recipe: Recipe, machine: Machine, out: Path) -> Training:
    latest = max(out.glob("step-*"), default=None)
    if latest is None:
        return Training.begin(recipe, machine)
    _logger.info("continuing from %s", latest)
    precision = saving.saved_precision(latest)
    return saving.resume(recipe, dataclasses.replace(machine, precision=precision), latest)


def _recipe(path: Path | None, manifest: Manifest) -> Recipe:
    if path is None:
        return Recipe.parse(standard(validation_one_in=data.split_for(manifest)))
    return Recipe.parse(as_mapping(canonical.loads(path.read_bytes()), "recipe"))


class _Folder:
    """Watches a training: prints its losses, keeps its checkpoints, shows what each one writes."""

    def __init__(self, out: Path, origin: Origin, stopped: threading.Event) -> None:
        self._out = out
        self._origin = origin
        self._stopped = stopped

    def on_loss(self, point: LossPoint) -> None:
        held_out = "" if point.validation is None else f"  held out {point.validation:.4f}"
        print(f"step {point.step:6}  loss {point.train:.4f}{held_out}", flush=True)

    def on_checkpoint(self, training: Training, point: LossPoint) -> None:
        folder = self._out / f"step-{point.step:06d}"
        text = card(self._origin, training.recipe, point, training.model.parameter_count)
        manifest = saving.save(training, text, folder)
        sample = training.recipe.sample
        written = sampling.generate(saving.load_model(folder), sample)
        print(f"{folder}  {as_id(manifest.id)}\n{sample.prompt}{written}\n", flush=True)

    def is_stopped(self) -> bool:
        return self._stopped.is_set()
