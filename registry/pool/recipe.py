# SPDX-License-Identifier: Apache-2.0
"""A recipe as the registry takes it: data for a built-in trainer, never code, each number bounded.

The trainer reads the same document again on the volunteer's machine; the two meet in the format
alone. A run's recipe never changes, and the run's statement repeats it whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Self, TypeVar

from assay.signing.canonical import Obj, integer, literal, mapping, only, within
from assay.signing.errors import InvalidDocument

from .sampling import MAX_SEED, Sampling, decimal

T = TypeVar("T")

TRAINER = "byte-gpt/v1"
MAX_STEPS = 10_000_000
_FIELDS = (
    "trainer",
    "model",
    "data",
    "batch",
    "schedule",
    "optimizer",
    "first_checkpoint_step",
    "checkpoint_every_steps",
    "validate_every_steps",
    "seed",
    "sample",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What the registry itself needs of a recipe, once all of it has been checked."""

    steps: int
    sample: Sampling
    """Asked of each checkpoint, to see it learn."""
    document: Obj

    @classmethod
    def parse(cls, obj: Obj) -> Self:
        """Read a recipe; raises InvalidDocument, naming the field that is wrong."""
        literal(obj, "trainer", TRAINER)
        only(obj, *_FIELDS)
        _inner(obj, "model", _check_model)
        _inner(obj, "data", _check_data)
        _inner(obj, "batch", _check_batch)
        _inner(obj, "optimizer", _check_optimizer)
        steps = _inner(obj, "schedule", _steps)
        for field in ("checkpoint_every_steps", "validate_every_steps"):
            integer(obj, field, minimum=1, maximum=MAX_STEPS)
        if "first_checkpoint_step" in obj:
            integer(obj, "first_checkpoint_step", minimum=1, maximum=MAX_STEPS)
        integer(obj, "seed", maximum=MAX_SEED)
        return cls(steps=steps, sample=_inner(obj, "sample", Sampling.parse), document=obj)


def _inner(obj: Obj, field: str, parse: Callable[[Obj], T]) -> T:
    inner = mapping(obj, field)
    with within(field):
        return parse(inner)


def _check_model(obj: Obj) -> None:
    only(obj, "layers", "width", "heads", "context_bytes")
    integer(obj, "layers", minimum=1, maximum=128)
    width = integer(obj, "width", minimum=2, maximum=8192)
    heads = integer(obj, "heads", minimum=1, maximum=128)
    integer(obj, "context_bytes", minimum=2, maximum=65_536)
    if width % (2 * heads):
        expected = f"a multiple of twice the number of heads ({2 * heads})"
        raise InvalidDocument("width", expected, str(width))


def _check_data(obj: Obj) -> None:
    only(obj, "validation_one_in")
    integer(obj, "validation_one_in", minimum=2, maximum=1_000_000)


def _check_batch(obj: Obj) -> None:
    only(obj, "sequences", "accumulate")
    integer(obj, "sequences", minimum=1, maximum=65_536)
    integer(obj, "accumulate", minimum=1, maximum=4096)


def _check_optimizer(obj: Obj) -> None:
    only(obj, "muon_rate", "adamw_rate", "weight_decay", "clip_norm")
    for field in ("muon_rate", "adamw_rate", "weight_decay"):
        decimal(obj, field, maximum=Decimal(1))
    decimal(obj, "clip_norm", maximum=Decimal(1_000_000))


def _steps(obj: Obj) -> int:
    only(obj, "steps", "warmup_steps", "cooldown_steps")
    steps = integer(obj, "steps", minimum=1, maximum=MAX_STEPS)
    warmup_steps = integer(obj, "warmup_steps", maximum=steps)
    integer(obj, "cooldown_steps", maximum=steps - warmup_steps)
    return steps
