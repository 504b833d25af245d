# SPDX-License-Identifier: Apache-2.0
"""Trains a model of pictures, and keeps it as a folder: the same training, the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file

from assay.signing import canonical
from assay.signing.manifest import Manifest

from ..config import PictureShape
from ..models import label_flow
from ..models.label_flow import LabelFlow
from ..saving import CARD, CONFIG, WEIGHTS, laid_out
from .letters import Pictures

RATE = 4e-3
WARMUP_STEPS = 20
_CARD = """\
---
library_name: assay
pipeline_tag: text-to-image
tags: [pictures, label-flow]
---
# {title}

A small model of pictures of {side} × {side} pixels. It draws what one of its labels names:
{labels}.

| property | value |
|---|---|
| architecture | `label-flow/v1`: width {width}, {steps} steps from noise to a picture |
| parameters | {parameters:,} |
| trained on | {pictures:,} pictures, {trained} steps of {batch} |
| loss | {loss:.4f} |

## Limits

It draws the shapes of what it was trained on, and knows nothing else.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to train, for how long, and by which chance."""

    title: str
    shape: PictureShape
    steps: int
    batch: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """A model as it is after some steps, and its loss in the mean of the last tenth of them."""

    plan: Plan
    model: LabelFlow
    pictures: int
    loss: float


def learn(plan: Plan, pictures: Pictures) -> Learnt:
    """Train from nothing: warm-up, a stable rate, and a cool-down over the second half."""
    generator = torch.Generator().manual_seed(plan.seed)
    model = _begun(plan)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE)
    losses = []
    for step, chosen in enumerate(_batches(plan, len(pictures.labels), generator)):
        warm, left = (step + 1) / WARMUP_STEPS, 2 * (plan.steps - step) / plan.steps
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, warm, left)
        loss = model.loss(pictures.pictures[chosen], pictures.labels[chosen], generator)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call] # torch's own has no types
        optimizer.step()
        losses.append(loss.item())
    last = losses[-max(1, plan.steps // 10) :]
    return Learnt(plan=plan, model=model, pictures=len(pictures.labels), loss=sum(last) / len(last))


def save(learnt: Learnt, folder: Path) -> Manifest:
    """Write a checkpoint's folder, whole or not at all, and give its manifest."""
    shape = learnt.plan.shape
    kind = {"architecture": label_flow.NAME}
    tensors = {name: each.contiguous() for name, each in learnt.model.state_dict().items()}
    with laid_out(folder) as scratch:
        save_file(tensors, scratch / WEIGHTS, {"format": "pt"})
        (scratch / CONFIG).write_bytes(canonical.dumps({**shape.to_json(), **kind}) + b"\n")
        (scratch / CARD).write_text(_card(learnt), encoding="utf-8")
    return Manifest.of_folder(folder)


def _begun(plan: Plan) -> LabelFlow:
    """Weights that the shape and the seed alone decide, whatever this process drew before."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed)
        return LabelFlow(plan.shape)


def _batches(plan: Plan, pictures: int, generator: torch.Generator) -> Iterator[torch.Tensor]:
    for _ in range(plan.steps):
        yield torch.randint(pictures, (plan.batch,), generator=generator)


def _card(learnt: Learnt) -> str:
    plan, shape = learnt.plan, learnt.plan.shape
    return _CARD.format(
        title=plan.title,
        side=shape.side,
        labels=", ".join(f"`{label}`" for label in shape.labels),
        width=shape.width,
        steps=shape.steps,
        parameters=sum(each.numel() for each in learnt.model.parameters()),
        pictures=learnt.pictures,
        trained=plan.steps,
        batch=plan.batch,
        loss=learnt.loss,
    )
