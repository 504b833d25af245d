# SPDX-License-Identifier: Apache-2.0
"""The model card that travels with a checkpoint: what it is, what made it, how to use it.

Only what the same training always gives: a card with a clock in it would change the id.
"""

from __future__ import annotations

from dataclasses import dataclass

from .config import Recipe
from .loop import LossPoint

_CARD = """\
---
library_name: assay
pipeline_tag: text-generation
tags: [byte-level, byte-gpt]
---
# {title}, step {step}

A byte-level language model. Its tokens are the bytes of UTF-8 text; it continues what it is given.

| property | value |
|---|---|
| architecture | `byte-gpt/v1`: {layers} layers, width {width}, {heads} heads |
| parameters | {parameters:,} |
| context | {context_bytes} bytes |
| trained on | {origin} |
| trained for | {step} of {steps} steps, {bytes_seen:,} bytes |
| loss | {train:.4f} nats per byte in training, {validation} on held-out files |

## Use

Weights are in `model.safetensors`, sizes in `config.json`, bytes as tokens in `tokenizer.json`.
`training-state.safetensors` is only needed to train on: from it, training continues identically.

## Limits

A model of this size imitates the form of what it was trained on and knows nothing. It may repeat
passages of its training data. What it writes is neither checked nor true.
{rules}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a training stands: its name, its data and its rules, as a reader should see them."""

    title: str
    data: str
    rules: str | None = None


def card(origin: Origin, recipe: Recipe, point: LossPoint, parameters: int) -> str:
    """A model card in Markdown, with the front matter that model hubs read."""
    validation = "not measured" if point.validation is None else f"{point.validation:.4f}"
    rules = "" if origin.rules is None else f"\n## Rules of use\n\n{origin.rules}\n"
    return _CARD.format(
        title=origin.title,
        step=point.step,
        steps=recipe.schedule.steps,
        layers=recipe.model.layers,
        width=recipe.model.width,
        heads=recipe.model.heads,
        context_bytes=recipe.model.context_bytes,
        parameters=parameters,
        origin=origin.data,
        bytes_seen=point.bytes_seen,
        train=point.train,
        validation=validation,
        rules=rules,
    )
