# SPDX-License-Identifier: Apache-2.0
"""A small model of pictures: it turns noise into what a label names, along straight lines.

Flow matching (Lipman et al., 2023) on straight lines: trained anywhere on the way from noise to a
picture, it says what is at the end of it, which is where to go. A U-Net of two levels on pixels
taken two by two. A saved checkpoint depends on these choices: another architecture is another
module with another name.

Shape suffixes: B pictures, C channels, H rows, W columns, E width of what says when and what.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from ..config import PictureShape

NAME = "label-flow/v1"
GROUPS = 8
PATCH = 2
SLOWEST = 1e-3  # of the sines that say when, in turns


class Block(nn.Module):
    """Two convolutions between which the embedding is added; what comes in is added at the end."""

    def __init__(self, wide_in: int, wide_out: int, embedded: int) -> None:
        super().__init__()
        self.first_norm = nn.GroupNorm(GROUPS, wide_in)
        self.first = nn.Conv2d(wide_in, wide_out, 3, padding=1)
        self.told = nn.Linear(embedded, wide_out)
        self.second_norm = nn.GroupNorm(GROUPS, wide_out)
        self.second = nn.Conv2d(wide_out, wide_out, 3, padding=1)
        self.past = nn.Conv2d(wide_in, wide_out, 1)

    @override
    def forward(self, x_BCHW: Tensor, told_BE: Tensor) -> Tensor:
        y_BCHW = self.first(functional.silu(self.first_norm(x_BCHW)))
        y_BCHW = y_BCHW + self.told(told_BE)[:, :, None, None]
        y_BCHW = self.second(functional.silu(self.second_norm(y_BCHW)))
        added: Tensor = y_BCHW + self.past(x_BCHW)
        return added


class LabelFlow(nn.Module):
    """Pictures on their way, when, and which label: what they will be in the end."""

    def __init__(self, shape: PictureShape) -> None:
        super().__init__()
        self.shape = shape
        wide, embedded = shape.width, 4 * shape.width
        pixels = shape.channels * PATCH * PATCH
        self.label = nn.Embedding(len(shape.labels), embedded)
        self.when = nn.Linear(shape.width, embedded)
        self.enter = nn.Conv2d(pixels, wide, 3, padding=1)
        self.large = Block(wide, wide, embedded)
        self.shrink = nn.Conv2d(wide, 2 * wide, 3, stride=2, padding=1)
        self.small = nn.ModuleList(Block(2 * wide, 2 * wide, embedded) for _ in range(2))
        self.grow = nn.Conv2d(2 * wide, wide, 1)
        self.again = Block(2 * wide, wide, embedded)
        self.leave = nn.Conv2d(wide, pixels, 3, padding=1)

    @override
    def forward(self, x_BCHW: Tensor, when_B: Tensor, label_B: Tensor) -> Tensor:
        sines_BE = _sines(when_B, self.shape.width)
        told_BE = functional.silu(self.when(sines_BE) + self.label(label_B))
        kept = self.large(self.enter(functional.pixel_unshuffle(x_BCHW, PATCH)), told_BE)
        y_BCHW = self.shrink(kept)
        for block in self.small:
            y_BCHW = block(y_BCHW, told_BE)
        y_BCHW = torch.cat((_doubled(self.grow(y_BCHW)), kept), dim=1)
        out: Tensor = functional.pixel_shuffle(self.leave(self.again(y_BCHW, told_BE)), PATCH)
        return out

    def loss(self, pictures_BCHW: Tensor, label_B: Tensor, generator: torch.Generator) -> Tensor:
        """How far it is off, in the mean over all pixels, somewhere on the way to pictures."""
        noise_BCHW = torch.randn(pictures_BCHW.shape, generator=generator)
        when_B = torch.rand(len(label_B), generator=generator)
        share = when_B[:, None, None, None]
        there = (1 - share) * noise_BCHW + share * pictures_BCHW
        return functional.mse_loss(self(there, when_B, label_B), pictures_BCHW)


def _doubled(x_BCHW: Tensor) -> Tensor:
    """Each pixel four times: the sum that is its gradient has one order, on every device."""
    count, channels, height, width = x_BCHW.shape
    wide = x_BCHW[:, :, :, None, :, None].expand(count, channels, height, 2, width, 2)
    return wide.reshape(count, channels, 2 * height, 2 * width)


def _sines(when_B: Tensor, width: int) -> Tensor:
    rates = torch.exp(torch.linspace(0, math.log(1 / SLOWEST), width // 2))
    turned = when_B[:, None] * rates
    return torch.cat((turned.sin(), turned.cos()), dim=1)
