# SPDX-License-Identifier: Apache-2.0
"""byte-gpt/v1: a decoder over bytes; a recipe fixes its sizes, this file everything else.

Pre-norm, rotary positions, normalised queries and keys, squared ReLU, tied embedding. A saved
checkpoint depends on these choices: another architecture is another module with another name.

Shape suffixes: B sequences, T bytes, D width, H heads, K width of a head, V the 256 byte values.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from ..config import ModelShape

NAME = "byte-gpt/v1"
VOCABULARY = 256
ROTARY_BASE = 10_000.0
INITIAL_STD = 0.02
HIDDEN_PER_WIDTH = 4


@dataclass(slots=True, kw_only=True)
class Seen:
    """One layer's keys and values (BHTK) for the bytes so far: the next costs one pass."""

    keys: Tensor
    values: Tensor

    @property
    def count(self) -> int:
        """How many bytes were seen."""
        return self.keys.shape[2]

    def extend(self, k_BHTK: Tensor, v_BHTK: Tensor) -> None:
        """Append the keys and values of further bytes."""
        self.keys = torch.cat((self.keys, k_BHTK), dim=2)
        self.values = torch.cat((self.values, v_BHTK), dim=2)


class Attention(nn.Module):
    """Causal self-attention. Four separate square matrices: Muon treats each as one map."""

    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.query = nn.Linear(shape.width, shape.width, bias=False)
        self.key = nn.Linear(shape.width, shape.width, bias=False)
        self.value = nn.Linear(shape.width, shape.width, bias=False)
        self.out = nn.Linear(shape.width, shape.width, bias=False)

    @override
    def forward(self, x_BTD: Tensor, turn_TK: Tensor, seen: Seen | None = None) -> Tensor:
        q_BHTK = _turned(self._heads(self.query(x_BTD)), turn_TK).transpose(1, 2)
        k_BHTK = _turned(self._heads(self.key(x_BTD)), turn_TK).transpose(1, 2)
        v_BHTK = self._heads(self.value(x_BTD)).transpose(1, 2)
        if seen is not None:
            seen.extend(k_BHTK, v_BHTK)
            k_BHTK, v_BHTK = seen.keys, seen.values
        # One new byte sees all before it; several new ones come only when nothing was seen.
        y_BHTK = functional.scaled_dot_product_attention(
            q_BHTK, k_BHTK, v_BHTK, is_causal=q_BHTK.shape[2] > 1
        )
        out: Tensor = self.out(y_BHTK.transpose(1, 2).flatten(start_dim=2))
        return out

    def _heads(self, x_BTD: Tensor) -> Tensor:
        return x_BTD.view(*x_BTD.shape[:2], self.heads, -1)


class Feed(nn.Module):
    """The two-layer network of a block."""

    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        self.up = nn.Linear(shape.width, HIDDEN_PER_WIDTH * shape.width, bias=False)
        self.down = nn.Linear(HIDDEN_PER_WIDTH * shape.width, shape.width, bias=False)

    @override
    def forward(self, x_BTD: Tensor) -> Tensor:
        hidden = functional.relu(self.up(x_BTD))
        out: Tensor = self.down(hidden * hidden)
        return out


class Block(nn.Module):
    """Attention, then feed, each on a normalised input and added to what it read."""

    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(shape.width, bias=False)
        self.attention = Attention(shape)
        self.feed_norm = nn.LayerNorm(shape.width, bias=False)
        self.feed = Feed(shape)

    @override
    def forward(self, x_BTD: Tensor, turn_TK: Tensor, seen: Seen | None = None) -> Tensor:
        x_BTD = x_BTD + self.attention(self.attention_norm(x_BTD), turn_TK, seen)
        added: Tensor = x_BTD + self.feed(self.feed_norm(x_BTD))
        return added


class ByteGPT(nn.Module):
    """Bytes in, a score for each possible next byte out."""

    turns: Tensor

    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(VOCABULARY, shape.width)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.width, bias=False)
        turn_TK = _turns(shape.context_bytes, shape.width // shape.heads)
        self.register_buffer("turns", turn_TK, persistent=False)

    @override
    def forward(self, bytes_BT: Tensor, seen: list[Seen] | None = None) -> Tensor:
        start = 0 if seen is None else seen[0].count
        turn_TK = self.turns[start : start + bytes_BT.shape[1]]
        x_BTD = self.embedding(bytes_BT)
        for index, block in enumerate(self.blocks):
            x_BTD = block(x_BTD, turn_TK, None if seen is None else seen[index])
        return functional.linear(self.norm(x_BTD), self.embedding.weight).float()

    def loss(self, bytes_BT: Tensor, next_BT: Tensor) -> Tensor:
        """Mean cross-entropy of the next byte, in nats."""
        return functional.cross_entropy(self(bytes_BT).flatten(0, 1), next_BT.flatten())

    @property
    def parameter_count(self) -> int:
        """How many numbers are learnt; the tied embedding counts once."""
        return sum(parameter.numel() for parameter in self.parameters())

    def nothing_seen(self) -> list[Seen]:
        """What `forward` extends while it generates: one empty entry per layer."""
        shape = self.shape
        empty = self.embedding.weight.new_empty((1, shape.heads, 0, shape.width // shape.heads))
        return [Seen(keys=empty, values=empty) for _ in self.blocks]


def initialised(shape: ModelShape, seed: int) -> ByteGPT:
    """A new model whose weights depend on the shape and the seed alone.

    What each block adds starts at zero, so that depth costs nothing at the first steps.
    """
    model = ByteGPT(shape)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith((".out.weight", ".down.weight")):
                parameter.zero_()
            elif parameter.ndim == 1:
                parameter.fill_(1.0)
            elif name == "embedding.weight":
                parameter.normal_(std=INITIAL_STD, generator=generator)
            else:
                bound = (3.0 / parameter.shape[1]) ** 0.5
                parameter.uniform_(-bound, bound, generator=generator)
    return model


def _turns(context_bytes: int, head_width: int) -> Tensor:
    """Cosines then sines of each position's angles, as one table."""
    rates = ROTARY_BASE ** (-torch.arange(0, head_width, 2, dtype=torch.float64) / head_width)
    angles = torch.outer(torch.arange(context_bytes, dtype=torch.float64), rates)
    return torch.cat((angles.cos(), angles.sin()), dim=1).float()


def _turned(x_BTHK: Tensor, turn_TK: Tensor) -> Tensor:
    """Normalise each head's vector and turn it by its position (rotary embedding)."""
    normal = functional.layer_norm(x_BTHK, x_BTHK.shape[-1:])
    first, second = normal.chunk(2, dim=-1)
    cos, sin = turn_TK[:, None, :].chunk(2, dim=-1)
    turned = torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)
    return turned.to(x_BTHK.dtype)
