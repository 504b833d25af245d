# SPDX-License-Identifier: Apache-2.0
"""How the commands look on a terminal: 80 columns, colour only where it is wanted.

What is printed may come from a stranger's file, so nothing that is not printable gets through: an
escape sequence in a name could otherwise paint its own verdict.
"""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import TextIO

from ..errors import Outcome
from ..values import dataclass

COLUMNS = 80
KEPT = 512  # texts, as shown: of many outputs most steps say the same
_DIGEST = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")
_UUID = re.compile(r"\b([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_FANCY: Mapping[Outcome, str] = {
    Outcome.PASSED: "✔",
    Outcome.FAILED: "✘",
    Outcome.NOT_REACHED: "·",
}
_PLAIN: Mapping[Outcome, str] = {
    Outcome.PASSED: "+",
    Outcome.FAILED: "x",
    Outcome.NOT_REACHED: ".",
}
_SPELT_OUT: Mapping[str, str] = {"→": "->", "…": "...", "│": "|", "├": "+", "└": "`"}


class Ink(StrEnum):
    """SGR parameters (ECMA-48, 8.3.117)."""

    BOLD = "1"
    DIM = "2"
    RED = "31"
    GREEN = "32"
    YELLOW = "33"


INK_OF: Mapping[Outcome, Ink] = {
    Outcome.PASSED: Ink.GREEN,
    Outcome.FAILED: Ink.RED,
    Outcome.NOT_REACHED: Ink.DIM,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """Where to print, and what it can show."""

    output: TextIO
    is_live: bool
    """Whether somebody is watching, so that a line may change under their eyes."""
    has_colour: bool
    has_marks: bool

    @classmethod
    def on(cls, output: TextIO, environment: Mapping[str, str] | None = None) -> Terminal:
        """The terminal behind a stream: colour unless NO_COLOR (no-color.org) or TERM=dumb."""
        variables = os.environ if environment is None else environment
        is_live = output.isatty() and variables.get("TERM") != "dumb"
        return cls(
            output=output,
            is_live=is_live,
            has_colour=is_live and not variables.get("NO_COLOR"),
            has_marks=_can_encode(output, "".join((*_FANCY.values(), *_SPELT_OUT))),
        )

    def line(self, text: str = "") -> None:
        """Print one line as it is."""
        self._write(text + "\n")

    def text(self, lines: str) -> None:
        """Print lines that were made for a terminal such as this one."""
        self._write(lines)

    def ask(self, question: str) -> None:
        """Print a question and leave the cursor behind it."""
        self._write(safe(question))
        self.output.flush()

    def replace_line(self, text: str) -> None:
        """Show a text in place of the line that the cursor is in (EL, ECMA-48, 8.3.41)."""
        self._write(f"\r\x1b[K{safe(text)}")
        self.output.flush()

    def _write(self, text: str) -> None:
        """Print, and spell out what the encoding cannot show: no text makes this fail."""
        if not self.has_marks:
            for character, spelt in _SPELT_OUT.items():
                text = text.replace(character, spelt)
        encoding = self.output.encoding or "utf-8"
        self.output.write(text.encode(encoding, errors="backslashreplace").decode(encoding))

    def paint(self, ink: Ink, text: str) -> str:
        """The text in colour, where there is colour."""
        return f"\x1b[{ink}m{text}\x1b[0m" if self.has_colour and text.strip() else text

    def headline(self, text: str, ink: Ink) -> None:
        """A line that must not be missed."""
        self.line(self.paint(Ink.BOLD, self.paint(ink, text)))

    def mark(self, outcome: Outcome) -> str:
        """✔, ✘ or ·, in its colour; letters where the encoding has no such marks."""
        marks = _FANCY if self.has_marks else _PLAIN
        return self.paint(INK_OF[outcome], marks[outcome])

    def columns(self, label: str, text: str, *, indent: int, ink: Ink | None = None) -> None:
        """A label, and beside it a text wrapped at 80 columns; the text begins at `indent`."""
        lines = wrapped(text, COLUMNS - indent)
        for number, each in enumerate(lines):
            head = label if number == 0 else ""
            shown = each if ink is None else self.paint(ink, each)
            # Colour codes take no room on the screen, so the padding counts what is seen.
            self.line(head + " " * (indent - seen_width(head)) + shown)


@lru_cache(KEPT)
def wrapped(text: str, width: int) -> tuple[str, ...]:
    """Lines of at most `width` characters, broken at spaces where there are any."""
    text = safe(text)
    if len(text) <= width and text == text.strip():  # most do, and wrapping takes thirty times that
        return (text,)
    return tuple(textwrap.wrap(text, width, break_on_hyphens=False)) or ("",)


def safe(text: str) -> str:
    """The text with everything escaped that a terminal could take for a command."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


@lru_cache(KEPT)
def shortened(text: str) -> str:
    """The text with every digest cut to its first twelve digits, and every UUID to eight."""
    return _UUID.sub(r"\1…", _DIGEST.sub(r"\1…", text))


def size_in_words(size_bytes: int) -> str:
    """A size as people say it, in decimal units."""
    size = float(size_bytes)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:  # noqa: PLR2004 - the step from one unit to the next
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def seen_width(text: str) -> int:
    """How many characters of a painted text take room."""
    return len(_SGR.sub("", text))


_SGR = re.compile(r"\x1b\[[0-9;]*m")


def _can_encode(output: TextIO, text: str) -> bool:
    try:
        text.encode(output.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
