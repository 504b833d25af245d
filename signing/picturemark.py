# SPDX-License-Identifier: Apache-2.0
"""The watermark of generated pictures: what a key adds to them, and how surely a picture shows it.

A tile of CHIPS × CHIPS squares, each a little lighter or darker as fair coins of the key's say, is
repeated over the whole picture, so that any piece of it has the tile, moved round. Of four such
layers the first is where the tile begins; how far the other three are moved against it is a number
of 30 bits, the picture's own. The pixels' half is in trainers.

What chance may do is bounded for any picture: see `chance`.
"""

from __future__ import annotations

import math
from hashlib import shake_256

from . import canonical
from .watermark import LEAST_CHANCE, WatermarkKey

SCHEME = "tile/v1"
"""What statements call all of this; another choice of any number is another scheme."""
CHIPS = 32
CHIP_PIXELS = 4
TILE_PIXELS = CHIPS * CHIP_PIXELS
LAYERS = 4
LAYER_BYTES = CHIPS * CHIPS // 8
SYMBOL_BITS = 10  # CHIPS × CHIPS places to be moved to
SYMBOLS = LAYERS - 1
PAYLOAD_BITS = SYMBOLS * SYMBOL_BITS
MIN_MARKED_PIXELS = 256
"""A smaller picture carries no mark: it could not be found again."""


def chips(key: WatermarkKey, layer: int) -> bytes:
    """A layer's coins, row by row, the most significant bit first; a set bit is a lighter square.

    No context of a text is as long as what stands before them here, so none has the same coins.
    """
    return shake_256(key.secret + b"assay picture layer\0" + bytes([layer])).digest(LAYER_BYTES)


def payload(key: WatermarkKey, document: canonical.Obj) -> int:
    """The number of the picture that a request asks for: the same again for the same request.

    Keyed, for whoever reads it in a picture should not learn by guessing what was asked.
    """
    data = key.secret + b"assay picture payload\0" + canonical.dumps(document)
    return int.from_bytes(shake_256(data).digest(8), "big") >> (64 - PAYLOAD_BITS)


def symbols(number: int) -> tuple[int, ...]:
    """How far each layer but the first is moved: rows × CHIPS + columns."""
    return tuple(
        number >> (SYMBOL_BITS * place) & (1 << SYMBOL_BITS) - 1 for place in range(SYMBOLS)
    )


def number(moved: tuple[int, ...]) -> int:
    """The same back."""
    return sum(symbol << (SYMBOL_BITS * place) for place, symbol in enumerate(moved))


def chance(score: float, tries: int) -> float:
    """How likely a picture that was made without the key reaches a score in as many tries; at most.

    A score is Σ cᵢrᵢ / √Σ rᵢ², where the rᵢ are what a picture shows in each square and the cᵢ are
    coins of 1 and -1. Whatever the picture is, it was made without them: Hoeffding's inequality
    bounds the chance of one try by exp(-score² / 2), and several tries at most add theirs.
    """
    if score <= 0:
        return 1.0
    return max(min(1.0, tries * math.exp(-score * score / 2)), LEAST_CHANCE)
