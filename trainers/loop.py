# SPDX-License-Identifier: Apache-2.0
"""The training loop, on one screen. It knows nothing of files, registries or signals.

Whoever starts it watches it: an observer is told of each loss and each checkpoint, and is asked
after each step whether to stop.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from .config import Recipe
from .data import Corpus
from .models.byte_gpt import ByteGPT, initialised
from .optim import Optimizers, rate_factor
from .runtime import Machine


@dataclass(frozen=True, slots=True, kw_only=True)
class LossPoint:
    """What one step did, in nats per byte."""

    step: int
    bytes_seen: int
    train: float
    validation: float | None
    seconds: float
    """Since this machine began with the run."""


class Observer(Protocol):
    """Who watches a training."""

    def on_loss(self, point: LossPoint) -> None:
        """A step is done."""

    def on_checkpoint(self, training: Training, point: LossPoint) -> None:
        """A step is done whose weights are to be published."""

    def is_stopped(self) -> bool:
        """Whether to leave off here."""
        ...


@dataclass(slots=True, kw_only=True)
class Training:
    """A training between two steps: with the recipe and the data, all that the next one needs."""

    recipe: Recipe
    machine: Machine
    model: ByteGPT
    optimizers: Optimizers
    step: int = 0

    @classmethod
    def begin(cls, recipe: Recipe, machine: Machine) -> Training:
        """A training before its first step."""
        model = initialised(recipe.model, recipe.seed).to(machine.device)
        optimizers = Optimizers(model, recipe.rates)
        return cls(recipe=recipe, machine=machine, model=model, optimizers=optimizers)

    @property
    def bytes_seen(self) -> int:
        """How many bytes were predicted so far."""
        return self.step * self.recipe.bytes_per_step

    @property
    def is_finished(self) -> bool:
        """Whether the recipe's last step is done."""
        return self.step >= self.recipe.schedule.steps


def train(training: Training, corpus: Corpus, observer: Observer) -> None:
    """Take steps until the recipe's last one, or until the observer says stop."""
    recipe = training.recipe
    began = time.monotonic()
    while not training.is_finished and not observer.is_stopped():
        train_loss = take_step(training, corpus)
        is_validated = recipe.is_validated(training.step)
        point = LossPoint(
            step=training.step,
            bytes_seen=training.bytes_seen,
            train=train_loss,
            validation=validation_loss(training, corpus) if is_validated else None,
            seconds=time.monotonic() - began,
        )
        observer.on_loss(point)
        if recipe.is_checkpoint(training.step):
            observer.on_checkpoint(training, point)


def take_step(training: Training, corpus: Corpus) -> float:
    """One step: sum the gradients of its windows, clip, apply. Gives the mean loss."""
    recipe = training.recipe
    training.step += 1
    windows = corpus.batch(
        seed=recipe.seed,
        step=training.step,
        count=recipe.batch.sequences * recipe.batch.accumulate,
        context_bytes=recipe.model.context_bytes,
    )
    total = 0.0
    for part in torch.split(windows, recipe.batch.sequences):
        loss = _loss(training, part) / recipe.batch.accumulate
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it without types
        total += loss.item()
    training.optimizers.step(rate_factor(training.step, recipe.schedule))
    return total


@torch.no_grad()
def validation_loss(training: Training, corpus: Corpus) -> float:
    """Mean loss over the corpus's fixed held-out windows."""
    windows = corpus.validation_windows(training.recipe.model.context_bytes)
    parts = torch.split(windows, training.recipe.batch.sequences)
    return sum(_loss(training, part).item() * len(part) for part in parts) / len(windows)


def _loss(training: Training, windows: Tensor) -> Tensor:
    windows = windows.to(training.machine.device)
    with training.machine.autocast():
        return training.model.loss(windows[:, :-1], windows[:, 1:])
