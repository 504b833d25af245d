# SPDX-License-Identifier: Apache-2.0
"""A picture from a model: the same model and request give the same one, on one kind of machine.

Always float32 on the CPU with one thread, as texts are written. A key marks what is large enough,
with TrustMark's mark first, where its networks are at hand, and with our own.

Shape suffixes: B pictures, H rows, W columns, C channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from assay.signing import canonical, picturemark, trustmark
from assay.signing.canonical import Obj, as_mapping, literal
from assay.signing.watermark import WatermarkKey

from ..config import Drawing, PictureShape
from ..errors import UnusablePrompt
from ..models import label_flow
from ..models.label_flow import LabelFlow
from ..saving import CONFIG, WEIGHTS, fill, tensors, unusable_if_malformed
from . import marking
from .files import Pixels
from .trustmark import Writer


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What pictures are marked with."""

    key: WatermarkKey
    trustmark: Writer | None = None
    """Where the operator has its networks."""

    @property
    def scheme(self) -> str:
        """What statements call it."""
        return picturemark.SCHEME if self.trustmark is None else trustmark.SCHEME


def is_marked(request: Drawing) -> bool:
    """Whether a key leaves its mark in the picture: it is large enough."""
    return marking.is_marked(request.size, request.size)


def is_of_pictures(folder: Path) -> bool:
    """Whether what lies in a checkpoint's folder is a model of pictures."""
    with unusable_if_malformed(folder / CONFIG):
        return _config(folder).get("architecture") == label_flow.NAME


def load_model(folder: Path) -> LabelFlow:
    """The model of a checkpoint's folder, on the CPU."""
    with unusable_if_malformed(folder / CONFIG):
        config = _config(folder)
        literal(config, "architecture", label_flow.NAME)
        shape = PictureShape.parse({key: config[key] for key in config if key != "architecture"})
    model = LabelFlow(shape)
    fill(model, tensors(folder / WEIGHTS))
    return model.eval()


def draw(
    model: LabelFlow, request: Drawing, marks: Marks | None = None, checkpoint: str = ""
) -> Pixels:
    """What a request's checkpoint draws (HWC), with its marks, whose number is the request's."""
    pixels = _drawn(model, request)
    if marks is None or not is_marked(request):
        return pixels
    number = picturemark.payload(marks.key, {"checkpoint": checkpoint, **request.to_json()})
    if marks.trustmark is not None:
        pixels = marks.trustmark.mark(pixels, marks.key, number)
    return marking.mark(pixels, marks.key, number)


@torch.no_grad()
def _drawn(model: LabelFlow, request: Drawing) -> Pixels:
    """Each of the model's pixels as often as the size asks for."""
    shape = model.shape
    if request.prompt not in shape.labels:
        known = ", ".join(shape.labels)
        raise UnusablePrompt(f"prompt: expected one of {known}, found {request.prompt!a}")
    if request.size % shape.side:
        raise UnusablePrompt(
            f"size: expected a multiple of {shape.side}, as the model draws, found {request.size}"
        )
    generator = torch.Generator().manual_seed(request.seed)
    x_BCHW = torch.randn((1, shape.channels, shape.side, shape.side), generator=generator)
    label_B = torch.tensor([shape.labels.index(request.prompt)])
    for step in range(shape.steps):
        when_B = torch.full((1,), step / shape.steps)
        end_BCHW = model(x_BCHW, when_B, label_B)
        x_BCHW = x_BCHW + (end_BCHW - x_BCHW) / (shape.steps - step)
    levels = ((x_BCHW[0] + 1) * 127.5).round().clamp(0, 255).byte().permute(1, 2, 0).numpy()
    times = request.size // shape.side
    pixels: Pixels = levels.repeat(times, axis=0).repeat(times, axis=1)
    return pixels


def _config(folder: Path) -> Obj:
    return as_mapping(canonical.loads((folder / CONFIG).read_bytes()), CONFIG)
