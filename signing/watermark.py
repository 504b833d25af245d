# SPDX-License-Identifier: Apache-2.0
"""The watermark of generated text: which bytes a key favours where, and how surely a text shows it.

A tournament over the sampler's own chances (SynthID-Text: Dathathri et al., Nature 634, 818, 2024),
over bytes. For each place in a text, a key and the bytes before it, the context, toss LAYERS fair
coins for every byte that could stand there. Who writes lets bytes with heads win (the tournament
itself is the sampler's, in trainers); who reads counts heads. Without the key's part in it a text
shows heads as any fair coins do, so that the chance of so many is known exactly, whatever the text.

What a copy changes most easily is folded away: capitals, and which white space, and how much of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256, shake_256

from .digests import normalised_text
from .errors import InvalidDocument

SCHEME = "tournament/v1"
"""What statements call all of this; another choice of any of it is another scheme."""
LAYERS = 16
COIN_BYTES = LAYERS // 8
CONTEXT_BYTES = 6
MAX_UNMARKED_BYTES = 200
"""What is asked for at most so long carries no mark: it could not be found again."""
MAX_KEYS = 8
MIN_SECRET_CHARACTERS = 32
_ID_DIGITS = 16
_SPACE = 0x20
FOLDED = bytes(range(256)).lower().translate(bytes.maketrans(b"\t\n\r", b"   "))
"""By each byte the one that it counts as."""
LEAST_CHANCE = 1e-300
"""What is less likely is given as this likely."""
_NEGLIGIBLE = 2.0**-60  # beside 1, in the sum of a tail


@dataclass(frozen=True, slots=True)
class WatermarkKey:
    """A secret by which a text is marked and the mark found: whoever has it can do both."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """How statements name it; says nothing of the secret."""
        return sha256(b"assay watermark key id\0" + self.secret).hexdigest()[:_ID_DIGITS]

    def coins(self, context: bytes) -> bytes:
        """LAYERS coins for each of the 256 bytes as FOLDED, in their order; a set bit is heads.

        SHAKE-256 gives all of them in one call, and with the key in front it is a keyed function
        that nobody tells from chance (FIPS 202; a sponge is not extended as SHA-256 is).
        """
        return shake_256(self.secret + context).digest(256 * COIN_BYTES)


def parse_keys(text: str) -> tuple[WatermarkKey, ...]:
    """The keys in a file, a secret on each line: the first marks, all of them are looked for."""
    lines = text.split()
    if not 1 <= len(lines) <= MAX_KEYS:
        raise InvalidDocument("watermark keys", f"1 to {MAX_KEYS} lines", str(len(lines)))
    for line in lines:
        if len(line) < MIN_SECRET_CHARACTERS:
            expected = f"{MIN_SECRET_CHARACTERS} characters or more in each line"
            raise InvalidDocument("watermark keys", expected, str(len(line)))
    return tuple(
        WatermarkKey(sha256(b"assay watermark key\0" + line.encode()).digest()) for line in lines
    )


class Trail:
    """What a text has behind it, byte by byte: writer and reader agree by it on where coins are.

    A context tosses its coins once: tossed again they would favour the same bytes again, which
    distorts the text, and would be counted twice.
    """

    def __init__(self) -> None:
        self._behind = b""
        self._used: set[bytes] = set()

    @property
    def context(self) -> bytes | None:
        """What tosses the coins for the next byte; None where there are none."""
        is_new = len(self._behind) == CONTEXT_BYTES and self._behind not in self._used
        return self._behind if is_new else None

    def counts(self, byte: int) -> bool:
        """Whether it changes anything here: a run of white space is its first byte."""
        return FOLDED[byte] != _SPACE or not self._behind.endswith(b" ")

    def step(self, byte: int) -> None:
        """Go past one byte."""
        if not self.counts(byte):
            return
        if len(self._behind) == CONTEXT_BYTES:
            self._used.add(self._behind)
        self._behind = (self._behind + FOLDED[byte : byte + 1])[-CONTEXT_BYTES:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What the coins of one text show, under the key of those tried that fits it best."""

    key: str
    """Its id."""
    coins: int
    heads: int
    keys: int
    """How many were tried: each is one more occasion for chance."""

    @property
    def places(self) -> int:
        """At how many places of the text there were coins."""
        return self.coins // LAYERS

    @property
    def p_value(self) -> float:
        """How likely a text that was made without these keys shows as much or more; at most."""
        return min(1.0, self.keys * chance(self.heads, self.coins))


def count(text: str, keys: Sequence[WatermarkKey]) -> Count:
    """Count heads at every place of a text, in its normalised form, for at least one key."""
    places = tuple(_places(normalised_text(text).encode()))
    heads = {key.id: sum(_heads(key, *place) for place in places) for key in keys}
    best = max(heads, key=lambda name: heads[name])
    return Count(key=best, coins=LAYERS * len(places), heads=heads[best], keys=len(keys))


def _places(text: bytes) -> Iterator[tuple[bytes, int]]:
    """Each context that tosses coins, and the byte that stands there."""
    trail = Trail()
    for byte in text:
        if (context := trail.context) is not None and trail.counts(byte):
            yield context, byte
        trail.step(byte)


def _heads(key: WatermarkKey, context: bytes, byte: int) -> int:
    start = FOLDED[byte] * COIN_BYTES
    return int.from_bytes(key.coins(context)[start : start + COIN_BYTES], "big").bit_count()


def chance(heads: int, coins: int) -> float:
    """How likely `coins` fair coins show `heads` heads or more; exact but for rounding."""
    if heads <= coins - heads:  # the other side is the short one to sum
        return 1.0 - _tail(coins - heads + 1, coins)
    return max(_tail(heads, coins), LEAST_CHANCE)


def _tail(heads: int, coins: int) -> float:
    """The upper tail of a binomial from beyond its middle, by terms that only become smaller."""
    if heads > coins:
        return 0.0
    ways = math.lgamma(coins + 1) - math.lgamma(heads + 1) - math.lgamma(coins - heads + 1)
    total = term = 1.0
    for number in range(heads, coins):
        term *= (coins - number) / (number + 1)
        total += term
        if term < _NEGLIGIBLE:
            break
    return math.exp(ways - coins * math.log(2.0)) * total
