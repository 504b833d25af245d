# SPDX-License-Identifier: Apache-2.0
"""What the supervisor says on the terminal: short lines that fit in 80 columns."""

import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

GREEN, RED, DIM, PLAIN = "\033[32m", "\033[31m", "\033[2m", "\033[0m"
NAME_COLOURS = ("\033[36m", "\033[35m", "\033[33m", "\033[34m", "\033[32m", "\033[31m")
TEXT_COLUMNS = 54
COLUMNS = 80


def wrapped(text: str, indent: str) -> str:
    """Lines that fit, all but the first indented; a path or a URL stays in one piece."""
    lines = (
        textwrap.wrap(
            line,
            COLUMNS,
            initial_indent=indent,
            subsequent_indent=indent + " " * (len(line) - len(line.lstrip())),
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in text.splitlines()
    )
    return "\n".join(line for part in lines for line in part or [""]).removeprefix(indent)


class Terminal:
    """Lines with a mark and a time; coloured only where somebody looks."""

    def __init__(self, *, has_colour: bool | None = None) -> None:
        self._has_colour = sys.stdout.isatty() if has_colour is None else has_colour
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long ago the supervisor started."""
        return time.monotonic() - self._started

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """A line when the block is done, and one in the meantime that it replaces."""
        started = time.monotonic()
        if self._has_colour:
            print(f"  … {text}", end="", flush=True)
        try:
            yield
        except BaseException:
            self._finish("✘", RED, text, time.monotonic() - started)
            raise
        self._finish("✔", GREEN, text, time.monotonic() - started)

    def say(self, text: str = "") -> None:
        """A line of its own."""
        print(text, flush=True)

    def note(self, text: str) -> None:
        """Something that happened, with the second at which it did."""
        print(f"  {self.seconds:6.1f} s  {text}", flush=True)

    def warn(self, text: str) -> None:
        """Something that went wrong and is being dealt with."""
        print(f"  {self.paint(RED, '✘')} {wrapped(text, '    ')}", flush=True)

    def paint(self, colour: str, text: str) -> str:
        """Coloured text, or plain text where nobody looks."""
        return f"{colour}{text}{PLAIN}" if self._has_colour else text

    def _finish(self, mark: str, colour: str, text: str, seconds: float) -> None:
        clear = "\r\033[K" if self._has_colour else ""
        mark = self.paint(colour, mark)
        print(f"{clear}  {mark} {text:<{TEXT_COLUMNS}}{seconds:8.1f} s", flush=True)


class LogFollower:
    """Shows what is added to the logs, each line with the name of its program."""

    def __init__(self, folder: Path, terminal: Terminal) -> None:
        self._folder = folder
        self._terminal = terminal
        self._seen = {path: path.stat().st_size for path in folder.glob("*.log")}

    def show_new(self) -> None:
        """Prints whole lines that came since the last call."""
        for number, path in enumerate(sorted(self._folder.glob("*.log"))):
            with path.open("rb") as log:
                log.seek(self._seen.get(path, 0))
                lines = log.read()
            whole = lines[: lines.rfind(b"\n") + 1]
            self._seen[path] = self._seen.get(path, 0) + len(whole)
            name = self._terminal.paint(
                NAME_COLOURS[number % len(NAME_COLOURS)], f"{path.stem:>9} │"
            )
            for line in whole.decode(errors="replace").splitlines():
                print(f"{name} {line}", flush=True)
