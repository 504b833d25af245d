# SPDX-License-Identifier: Apache-2.0
"""A checkpoint as a folder: weights, config, tokenizer, card, and what resuming needs.

The same training on the same machine writes the same bytes, so a checkpoint made again has the
same id. Nothing is ever unpickled: tensors are safetensors, everything else is JSON or text.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from assay.signing import canonical, durable
from assay.signing.canonical import Obj, as_mapping, integer, literal, text
from assay.signing.errors import InvalidDocument
from assay.signing.manifest import Manifest

from .config import ModelShape, Recipe
from .errors import UnusableCheckpoint
from .loop import Training
from .models import byte_gpt
from .models.byte_gpt import ByteGPT
from .optim import Optimizers
from .runtime import Machine, Precision
from .tokenizer import tokenizer_json

WEIGHTS = "model.safetensors"
CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
CARD = "README.md"
STATE = "training-state.safetensors"
DESCRIPTION = "training"
INFERENCE_FILES = (WEIGHTS, CONFIG)
"""What generating needs; the other files may stay where they are."""


def save(training: Training, card: str, folder: Path) -> Manifest:
    """Write a checkpoint's folder, whole or not at all, and give its manifest."""
    recipe = training.recipe
    kind = {"architecture": byte_gpt.NAME, "vocabulary": byte_gpt.VOCABULARY}
    with laid_out(folder) as scratch:
        save_file(_weights(training.model), scratch / WEIGHTS, {"format": "pt"})
        save_file(_on_cpu(training.optimizers.state()), scratch / STATE, _described(training))
        (scratch / CONFIG).write_bytes(canonical.dumps({**recipe.model.to_json(), **kind}) + b"\n")
        (scratch / TOKENIZER).write_text(tokenizer_json(), encoding="utf-8")
        (scratch / CARD).write_text(card, encoding="utf-8")
    return Manifest.of_folder(folder)


@contextmanager
def laid_out(folder: Path) -> Iterator[Path]:
    """A folder beside it to write into; it takes the folder's place once all of it is durable."""
    scratch = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    yield scratch
    durable.sync_tree(scratch)
    shutil.rmtree(folder, ignore_errors=True)
    scratch.rename(folder)
    durable.sync(folder.parent)


def load_model(folder: Path) -> ByteGPT:
    """The model of a checkpoint's folder, on the CPU."""
    model = ByteGPT(_shape(folder / CONFIG))
    fill(model, tensors(folder / WEIGHTS))
    return model.eval()


def resume(recipe: Recipe, machine: Machine, folder: Path) -> Training:
    """The training that wrote a checkpoint, at its step; it goes on as if never stopped."""
    shape = _shape(folder / CONFIG)
    if shape != recipe.model:
        raise UnusableCheckpoint(f"{CONFIG}: expected {recipe.model}, found {shape}")
    model = ByteGPT(shape)
    fill(model, tensors(folder / WEIGHTS))
    model.to(machine.device)
    optimizers = Optimizers(model, recipe.rates)
    optimizers.restore(tensors(folder / STATE))
    return Training(
        recipe=recipe,
        machine=machine,
        model=model,
        optimizers=optimizers,
        step=_saved_step(folder),
    )


def saved_precision(folder: Path) -> Precision:
    """What a checkpoint's training multiplied matrices in: to resume in another would diverge."""
    with unusable_if_malformed(folder / STATE):
        found = text(_description(folder / STATE), "precision")
    if found not in set(Precision):
        raise UnusableCheckpoint(f"{STATE}: expected a known precision, found {found!a}")
    return Precision(found)


def _saved_step(folder: Path) -> int:
    with unusable_if_malformed(folder / STATE):
        return integer(_description(folder / STATE), "step")


def _described(training: Training) -> dict[str, str]:
    """What of a training is no tensor. One entry only: safetensors writes several in any order."""
    value = {"precision": training.machine.precision.value, "step": training.step}
    return {DESCRIPTION: canonical.dumps(value).decode()}


def _description(path: Path) -> Obj:
    with safe_open(path, "pt") as file:
        written = (file.metadata() or {}).get(DESCRIPTION, "")
        return as_mapping(canonical.loads(written.encode()), DESCRIPTION)


def _shape(path: Path) -> ModelShape:
    with unusable_if_malformed(path):
        config = as_mapping(canonical.loads(path.read_bytes()), CONFIG)
        literal(config, "architecture", byte_gpt.NAME)
        integer(config, "vocabulary", minimum=byte_gpt.VOCABULARY, maximum=byte_gpt.VOCABULARY)
        sizes = {key: config[key] for key in config if key not in {"architecture", "vocabulary"}}
        return ModelShape.parse(sizes)


def fill(model: nn.Module, found: dict[str, Tensor]) -> None:
    """Give a model its weights; raises UnusableCheckpoint for others than it has."""
    expected = {name: tensor.shape for name, tensor in model.state_dict().items()}
    shapes = {name: tensor.shape for name, tensor in found.items()}
    for name in sorted(expected.keys() | shapes.keys()):
        if expected.get(name) != shapes.get(name):
            message = f"expected {name} as {expected.get(name)}, found {shapes.get(name)}"
            raise UnusableCheckpoint(f"{WEIGHTS}: {message}")
    model.load_state_dict(found)


def tensors(path: Path) -> dict[str, Tensor]:
    """A safetensors file; raises UnusableCheckpoint."""
    with unusable_if_malformed(path):
        return load_file(path)


@contextmanager
def unusable_if_malformed(path: Path) -> Iterator[None]:
    """What is wrong with one of a checkpoint's files, as UnusableCheckpoint."""
    try:
        yield
    except (SafetensorError, InvalidDocument, FileNotFoundError) as error:
        raise UnusableCheckpoint(f"{path.name}: expected a checkpoint's file: {error}") from error


def _weights(model: ByteGPT) -> dict[str, Tensor]:
    return _on_cpu(model.state_dict())


def _on_cpu(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
