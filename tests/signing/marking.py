# SPDX-License-Identifier: Apache-2.0
"""Watermark keys, texts that carry their mark, and texts that nobody marked."""

from __future__ import annotations

import random

from assay.signing.watermark import COIN_BYTES, FOLDED, Trail, WatermarkKey, parse_keys

LETTERS = "abcdefghijklmnopqrstuvwxyz     "


def line(number: int = 0) -> str:
    """The line of a key's file that has the secret of `key`."""
    return f"a-secret-of-these-tests-in-one-line-{number}"


def key(number: int = 0) -> WatermarkKey:
    """One of many."""
    return parse_keys(line(number))[0]


def prose(characters: int, *, seed: int = 1) -> str:
    """Text of nobody's."""
    return "".join(_letters(characters, seed)).strip()


def marked(characters: int, *, by: WatermarkKey, seed: int = 1) -> str:
    """Text of which each byte is, of two that might stand there, the one with more heads."""
    trail, text = Trail(), bytearray()
    for pair in zip(_letters(characters, seed), _letters(characters, seed + 1), strict=True):
        byte = max(map(ord, pair), key=lambda byte: _heads(by, trail, byte))
        text.append(byte)
        trail.step(byte)
    return text.decode().strip()


def _letters(characters: int, seed: int) -> list[str]:
    chosen = random.Random(seed)  # noqa: S311 - the same letters each time, for nobody's secrecy
    return [chosen.choice(LETTERS) for _ in range(characters)]


def _heads(by: WatermarkKey, trail: Trail, byte: int) -> int:
    if trail.context is None or not trail.counts(byte):
        return 0
    start = FOLDED[byte] * COIN_BYTES
    drawn = by.coins(trail.context)[start : start + COIN_BYTES]
    return int.from_bytes(drawn, "big").bit_count()
