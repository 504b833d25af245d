# SPDX-License-Identifier: Apache-2.0
"""What is asked of a checkpoint: a prompt, a length, a temperature and a seed, each bounded.

A recipe's sample and a person's request are the same thing; the same asked twice gives one text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from assay.signing.canonical import Obj, integer, only, text
from assay.signing.errors import InvalidDocument

MAX_PROMPT_BYTES = 4096
MAX_NEW_BYTES = 1024  # about five seconds of one CPU core for the demonstration's model
MAX_TEMPERATURE = Decimal(2)
MAX_SEED = 2**31 - 1  # what every random generator takes
MAX_DECIMAL_CHARACTERS = 24
FIELDS = ("prompt", "max_new_bytes", "temperature", "seed")
_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,12})?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """A request for text."""

    prompt: str
    max_new_bytes: int
    temperature: Decimal
    """0 takes the likeliest byte each time."""
    seed: int

    @classmethod
    def parse(cls, obj: Obj) -> Self:
        """Read the four fields; raises InvalidDocument, naming the one that is wrong."""
        only(obj, *FIELDS)
        return cls(
            prompt=_prompt(obj),
            max_new_bytes=integer(obj, "max_new_bytes", minimum=1, maximum=MAX_NEW_BYTES),
            temperature=decimal(obj, "temperature", maximum=MAX_TEMPERATURE),
            seed=integer(obj, "seed", maximum=MAX_SEED),
        )

    def to_json(self) -> dict[str, object]:
        """The document that `parse` reads."""
        return {
            "prompt": self.prompt,
            "max_new_bytes": self.max_new_bytes,
            "temperature": decimal_text(self.temperature),
            "seed": self.seed,
        }


def decimal(obj: Obj, field: str, *, maximum: Decimal) -> Decimal:
    """A quantity that is not an integer travels as a decimal string (docs/spec/formats.md)."""
    written = text(obj, field, max_characters=MAX_DECIMAL_CHARACTERS)
    if _DECIMAL.fullmatch(written) is None or Decimal(written) > maximum:
        expected = f"a decimal from 0 to {maximum}, such as 0.02, of at most 12 decimal places"
        raise InvalidDocument(field, expected, ascii(written))
    return Decimal(written)


def decimal_text(value: Decimal) -> str:
    """The one way of writing a quantity: no exponent, no zeros at its end."""
    return format(value.normalize(), "f")


def _prompt(obj: Obj) -> str:
    """Text whose UTF-8 fits, without the NUL that PostgreSQL cannot store."""
    value = text(obj, "prompt", max_characters=MAX_PROMPT_BYTES)
    try:
        size_bytes = len(value.encode())
    except UnicodeEncodeError as error:
        raise InvalidDocument("prompt", "text", "half a surrogate pair") from error
    if size_bytes > MAX_PROMPT_BYTES:
        raise InvalidDocument("prompt", f"at most {MAX_PROMPT_BYTES} bytes", str(size_bytes))
    if "\0" in value:
        raise InvalidDocument("prompt", "text without NUL", "a NUL")
    return value
