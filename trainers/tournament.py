# SPDX-License-Identifier: Apache-2.0
"""The sampler's half of the watermark: the bytes that a key favours win (docs/spec/watermark.md).

Over all keys the chances of the next byte stay what they were; what a key favours in one place it
does not favour in the next. A context of the same text never plays twice.

Shape suffixes: V the 256 byte values, L layers.
"""

from __future__ import annotations

import torch
from torch import Tensor

from assay.signing.watermark import COIN_BYTES, FOLDED, LAYERS, Trail, WatermarkKey

_SPACE = 0x20
_FOLDED_V = torch.tensor(list(FOLDED))
_IS_SPACE_V = _FOLDED_V == _SPACE
_FIRST_BIT_FIRST = torch.arange(7, -1, -1, dtype=torch.uint8)


class Tournament:
    """Plays for one text, whose bytes it is told in their order; without a key there is none."""

    def __init__(self, key: WatermarkKey | None) -> None:
        self._key = key
        self._trail = Trail()

    def step(self, byte: int) -> None:
        """Go past one byte."""
        self._trail.step(byte)

    def played(self, chances_V: Tensor) -> Tensor:
        """The chances of the next byte after all layers; as they are where there are no coins."""
        context = self._trail.context
        if context is None or self._key is None:
            return chances_V
        # Where white space changes nothing, it must not be favoured again and again either.
        resting_V = _IS_SPACE_V & (not self._trail.counts(_SPACE))
        share = chances_V.masked_fill(resting_V, 0.0).sum()
        won_V = chances_V.masked_fill(resting_V, 0.0) / share if share else chances_V
        for coin_V in coins(self._key.coins(context)):
            # The winner of two; what rounding leaves below nothing is nothing.
            won_V = (won_V * (1 + coin_V - won_V @ coin_V)).clamp(min=0.0)
        return torch.where(resting_V, chances_V, won_V * share)


def coins(drawn: bytes) -> Tensor:
    """The coins by layer and byte (LV): 1 is heads."""
    drawn_V2 = torch.frombuffer(bytearray(drawn), dtype=torch.uint8).view(-1, COIN_BYTES)[_FOLDED_V]
    bits = (drawn_V2[:, :, None] >> _FIRST_BIT_FIRST) & 1
    return bits.view(-1, LAYERS).T.double()
