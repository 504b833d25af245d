# SPDX-License-Identifier: Apache-2.0
"""A recipe: what to train, on how much, how fast, and when to show it; data, never code.

One frozen value per concern. Parsing is strict, and its limits are what a volunteer's machine
agrees to run; a recipe that exceeds them is refused before any memory is taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from assay.signing.canonical import Obj, integer, items, literal, mapping, only, text, within
from assay.signing.errors import InvalidDocument

T = TypeVar("T")

TRAINER = "byte-gpt/v1"
MAX_STEPS = 10_000_000
MAX_SEQUENCES = 65_536
MAX_PROMPT_CHARACTERS = 4096
MAX_NEW_BYTES = 4096
MAX_SEED = 2**31 - 1
MAX_TEMPERATURE = 5.0
MAX_PICTURE_PIXELS = 1024
MAX_LABELS = 1000
MAX_LABEL_CHARACTERS = 100
_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,12})?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelShape:
    """The sizes that fix a byte-level GPT's parameters."""

    layers: int
    width: int
    heads: int
    context_bytes: int

    @classmethod
    def parse(cls, obj: Obj) -> ModelShape:
        """Read the four sizes; each head gets an equal, even share of the width."""
        only(obj, "layers", "width", "heads", "context_bytes")
        shape = cls(
            layers=integer(obj, "layers", minimum=1, maximum=128),
            width=integer(obj, "width", minimum=2, maximum=8192),
            heads=integer(obj, "heads", minimum=1, maximum=128),
            context_bytes=integer(obj, "context_bytes", minimum=2, maximum=65_536),
        )
        if shape.width % (2 * shape.heads):
            expected = f"a multiple of twice the number of heads ({2 * shape.heads})"
            raise InvalidDocument("width", expected, str(shape.width))
        return shape

    def to_json(self) -> dict[str, object]:
        """The document that `parse` reads."""
        return {
            "layers": self.layers,
            "width": self.width,
            "heads": self.heads,
            "context_bytes": self.context_bytes,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """How much one step sees."""

    sequences: int
    """In one forward pass."""
    accumulate: int
    """Forward passes whose gradients one step sums."""

    @classmethod
    def parse(cls, obj: Obj) -> Batch:
        """Read both numbers."""
        only(obj, "sequences", "accumulate")
        return cls(
            sequences=integer(obj, "sequences", minimum=1, maximum=MAX_SEQUENCES),
            accumulate=integer(obj, "accumulate", minimum=1, maximum=4096),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How long to train: warm-up, then a stable rate, then a cool-down to the last step."""

    steps: int
    warmup_steps: int
    cooldown_steps: int

    @classmethod
    def parse(cls, obj: Obj) -> Schedule:
        """Read the three lengths, of which two must fit in the first."""
        only(obj, "steps", "warmup_steps", "cooldown_steps")
        steps = integer(obj, "steps", minimum=1, maximum=MAX_STEPS)
        warmup_steps = integer(obj, "warmup_steps", maximum=steps)
        return cls(
            steps=steps,
            warmup_steps=warmup_steps,
            cooldown_steps=integer(obj, "cooldown_steps", maximum=steps - warmup_steps),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """The optimizers' numbers at the stable rate."""

    muon: float
    adamw: float
    weight_decay: float
    clip_norm: float

    @classmethod
    def parse(cls, obj: Obj) -> Rates:
        """Read four decimal strings."""
        only(obj, "muon_rate", "adamw_rate", "weight_decay", "clip_norm")
        return cls(
            muon=_decimal(obj, "muon_rate", maximum=1.0),
            adamw=_decimal(obj, "adamw_rate", maximum=1.0),
            weight_decay=_decimal(obj, "weight_decay", maximum=1.0),
            clip_norm=_decimal(obj, "clip_norm", maximum=1e6),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """A request for text: the same request to the same checkpoint gives the same text."""

    prompt: str
    max_new_bytes: int
    temperature: float
    """0 takes the likeliest byte each time."""
    seed: int

    @classmethod
    def parse(cls, obj: Obj) -> Sampling:
        """Read the request's four fields; others beside them are its carrier's."""
        return cls(
            prompt=text(obj, "prompt", max_characters=MAX_PROMPT_CHARACTERS),
            max_new_bytes=integer(obj, "max_new_bytes", minimum=1, maximum=MAX_NEW_BYTES),
            temperature=_decimal(obj, "temperature", maximum=MAX_TEMPERATURE),
            seed=integer(obj, "seed", maximum=MAX_SEED),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureShape:
    """The sizes that fix a picture model's parameters, and what it can be asked for."""

    side: int
    """In pixels, each way."""
    channels: int
    width: int
    steps: int
    """From noise to a picture."""
    labels: tuple[str, ...]
    """What it was trained on, of which a prompt names one."""

    @classmethod
    def parse(cls, obj: Obj) -> PictureShape:
        """Read sizes and labels."""
        only(obj, "side", "channels", "width", "steps", "labels")
        shape = cls(
            side=integer(obj, "side", minimum=16, maximum=256),
            channels=integer(obj, "channels", minimum=1, maximum=3),
            width=integer(obj, "width", minimum=8, maximum=1024),
            steps=integer(obj, "steps", minimum=1, maximum=1000),
            labels=_labels(obj),
        )
        for field, size, of in (("side", shape.side, 4), ("width", shape.width, 8)):
            if size % of:
                raise InvalidDocument(field, f"a multiple of {of}", str(size))
        if shape.channels == 2:  # noqa: PLR2004 - neither grey nor colours
            raise InvalidDocument("channels", "1 or 3", "2")
        return shape

    def to_json(self) -> dict[str, object]:
        """The document that `parse` reads."""
        return {
            "side": self.side,
            "channels": self.channels,
            "width": self.width,
            "steps": self.steps,
            "labels": list(self.labels),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A request for a picture: the same request to the same checkpoint gives the same picture."""

    prompt: str
    size: int
    """In pixels each way: a multiple of the model's side."""
    seed: int

    @classmethod
    def parse(cls, obj: Obj) -> Drawing:
        """Read the request's three fields; others beside them are its carrier's."""
        return cls(
            prompt=text(obj, "prompt", max_characters=MAX_PROMPT_CHARACTERS),
            size=integer(obj, "size", minimum=16, maximum=MAX_PICTURE_PIXELS),
            seed=integer(obj, "seed", maximum=MAX_SEED),
        )

    def to_json(self) -> dict[str, object]:
        """The document that `parse` reads."""
        return {"prompt": self.prompt, "size": self.size, "seed": self.seed}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One training, whole: with the dataset and this, anyone can run it again."""

    model: ModelShape
    validation_one_in: int
    batch: Batch
    schedule: Schedule
    rates: Rates
    first_checkpoint_step: int
    checkpoint_every_steps: int
    validate_every_steps: int
    seed: int
    sample: Sampling
    document: Obj
    """As it was received: what the run's statement repeats."""

    @classmethod
    def parse(cls, obj: Obj) -> Recipe:
        """Read a recipe for the one built-in trainer."""
        literal(obj, "trainer", TRAINER)
        only(obj, *_FIELDS)
        schedule = _inner(obj, "schedule", Schedule.parse)
        every_steps = integer(obj, "checkpoint_every_steps", minimum=1)
        return cls(
            model=_inner(obj, "model", ModelShape.parse),
            validation_one_in=_inner(obj, "data", _validation_one_in),
            batch=_inner(obj, "batch", Batch.parse),
            schedule=schedule,
            rates=_inner(obj, "optimizer", Rates.parse),
            first_checkpoint_step=(
                integer(obj, "first_checkpoint_step", minimum=1)
                if "first_checkpoint_step" in obj
                else every_steps
            ),
            checkpoint_every_steps=every_steps,
            validate_every_steps=integer(obj, "validate_every_steps", minimum=1),
            seed=integer(obj, "seed", maximum=MAX_SEED),
            sample=_inner(obj, "sample", Sampling.parse),
            document=obj,
        )

    def is_checkpoint(self, step: int) -> bool:
        """Whether the weights after this step are published."""
        last = step == self.schedule.steps
        early = step == self.first_checkpoint_step
        return last or early or step % self.checkpoint_every_steps == 0

    def is_validated(self, step: int) -> bool:
        """Whether the held-out loss is measured after this step; for a checkpoint, always."""
        return step % self.validate_every_steps == 0 or self.is_checkpoint(step)

    @property
    def bytes_per_step(self) -> int:
        """How many bytes are predicted in one step."""
        return self.batch.sequences * self.batch.accumulate * self.model.context_bytes


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


def _labels(obj: Obj) -> tuple[str, ...]:
    found = items(obj, "labels", maximum=MAX_LABELS)
    named = [
        text({"labels": each}, "labels", max_characters=MAX_LABEL_CHARACTERS) for each in found
    ]
    if not named or len(set(named)) < len(named):
        raise InvalidDocument("labels", f"1 to {MAX_LABELS}, each once", str(len(named)))
    return tuple(named)


def _inner(obj: Obj, field: str, parse: Callable[[Obj], T]) -> T:
    with within(field):
        return parse(mapping(obj, field))


def _validation_one_in(obj: Obj) -> int:
    only(obj, "validation_one_in")
    return integer(obj, "validation_one_in", minimum=2, maximum=1_000_000)


def _decimal(obj: Obj, field: str, *, maximum: float) -> float:
    """A quantity that is not an integer travels as a decimal string (formats)."""
    written = text(obj, field, max_characters=32)
    if _DECIMAL.fullmatch(written) is None or float(written) > maximum:
        expected = f"a decimal string from 0 to {maximum:g}, such as 0.02"
        raise InvalidDocument(field, expected, ascii(written))
    return float(written)
