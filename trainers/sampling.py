# SPDX-License-Identifier: Apache-2.0
"""Text from a model: the same model and request give the same text, on one kind of machine.

Always float32 on the CPU with one thread: a text of a few hundred bytes gains nothing from more,
and everyone who generates it again gets the same sums. A key marks what it writes: the same request
with the same key gives the same text, too.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from assay.signing.watermark import MAX_UNMARKED_BYTES, WatermarkKey

from .config import Sampling
from .errors import UnusablePrompt
from .models.byte_gpt import VOCABULARY, ByteGPT, Seen
from .tournament import Tournament
from .utf8 import START, Place


def is_marked(request: Sampling) -> bool:
    """Whether a key leaves its mark in the answer: it is long enough, and something is drawn."""
    return request.max_new_bytes > MAX_UNMARKED_BYTES and request.temperature > 0


@torch.no_grad()
def generate(model: ByteGPT, request: Sampling, key: WatermarkKey | None = None) -> str:
    """What the model writes after a prompt; without the prompt, at most `max_new_bytes` bytes."""
    written = bytearray(_prompt_bytes(request.prompt))
    prompt_bytes = len(written)
    tournament = Tournament(key if is_marked(request) else None)
    generator = torch.Generator().manual_seed(request.seed)
    context = _Context(model)
    place, whole = START, prompt_bytes
    for _ in range(request.max_new_bytes):
        chances = _chances(context.scores(written), place, request.temperature)
        byte = int(torch.multinomial(tournament.played(chances), 1, generator=generator))
        tournament.step(byte)
        written.append(byte)
        place = place.after(byte)
        whole = len(written) if place.is_between_characters else whole
    return written[prompt_bytes:whole].decode("utf-8")


class _Context:
    """Feeds a model what it has not seen yet, and with half of it when it is full."""

    def __init__(self, model: ByteGPT) -> None:
        self._model = model
        self._seen: list[Seen] = model.nothing_seen()
        self._fed = 0

    def scores(self, written: bytearray) -> Tensor:
        """A score for each next byte."""
        length = self._model.shape.context_bytes
        is_full = self._seen[0].count >= length
        if self._fed == 0 or is_full:
            self._seen = self._model.nothing_seen()
            self._fed = max(0, len(written) - (length // 2 if is_full else length))
        new = torch.tensor([list(written[self._fed :])])
        self._fed = len(written)
        scores: Tensor = self._model(new, self._seen)[0, -1]
        return scores


def _prompt_bytes(prompt: str) -> bytes:
    """The prompt in UTF-8."""
    try:
        data = prompt.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UnusablePrompt("prompt: expected text, found half a surrogate pair") from error
    if not data:
        raise UnusablePrompt("prompt: expected at least one character, found none")
    return data


def _chances(scores: Tensor, place: Place, temperature: float) -> Tensor:
    """How likely each byte is the next; one of them certain at temperature 0."""
    refused = torch.ones(VOCABULARY, dtype=torch.bool)
    refused[list(place.allowed)] = False
    scores = scores.masked_fill(refused, float("-inf"))
    if temperature == 0:
        return functional.one_hot(scores.argmax(), VOCABULARY).double()
    return torch.softmax(scores.double() / temperature, dim=0)
