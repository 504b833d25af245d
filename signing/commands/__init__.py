# SPDX-License-Identifier: Apache-2.0
"""The `assay` command: decide whom to trust, log in, download, verify offline, sign, watch.

One module for each noun, imported when its word is asked for; here the words are parsed, errors
become exit codes, and a stranger's file, whatever its bytes, never becomes a traceback.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import json
import os
import sys
import textwrap
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NoReturn

from ..errors import AssayError, Outcome, SignerError, VerificationError
from .terminal import COLUMNS, Ink, Terminal
from .words import WORDS, Word

INTERRUPTED = 130  # 128 + SIGINT, as shells have it
BROKEN_PIPE = 141  # 128 + SIGPIPE
OUTPUT_LOST = 74  # sysexits.h: EX_IOERR
USAGE = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code is in `assay --help`."""
    atexit.register(gc.freeze)  # whose process ends need not be told what of it is garbage
    words = sys.argv[1:] if argv is None else argv
    asked = next((word for word in words if not word.startswith("-")), None)
    is_first = asked in _WORDS and words[0] == asked
    arguments = parser(asked, is_alone=is_first).parse_args(words)
    try:
        code = _run(_WORDS[arguments.command], arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has stopped
        _let_go_of_the_output()
        return BROKEN_PIPE
    except OSError as error:  # a full disk: what was read or written of ours is AssayError by now
        _let_go_of_the_output()
        sys.stderr.write(f"assay: the output cannot be written: {error.strerror}\n")
        return OUTPUT_LOST
    return code


def _let_go_of_the_output() -> None:
    """The interpreter must not try to flush it again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(word: Word, arguments: argparse.Namespace) -> int:
    terminal, complaints = Terminal.on(sys.stdout), Terminal.on(sys.stderr)
    try:
        code = word.run(arguments, terminal, complaints)
    except AssayError as error:
        if getattr(arguments, "json", False):
            failure = {**word.failed, "error": error.for_programs()}
            terminal.line(json.dumps(failure, indent=2))
        _complain(error, complaints)
        code = error.exit_code
    sys.stdout.flush()
    return code


def _complain(error: AssayError, complaints: Terminal) -> None:
    """What was expected and found; of a registry's refusal each reason on a line of its own."""
    said = error.title if error.reasons else str(error)
    mark = f"{complaints.mark(Outcome.FAILED)} "
    complaints.columns(mark, f"{error.code}: {said}", indent=2, ink=Ink.RED)
    for reason in error.reasons:
        complaints.columns("", reason, indent=4)


class _Parser(argparse.ArgumentParser):
    """Whose help may end with every exit code, for which all that can fail is imported."""

    lists_exit_codes = False

    def format_help(self) -> str:
        if self.lists_exit_codes:
            self.epilog = exit_codes()
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """As argparse says it, but in lines that are no longer than all others."""
        self.print_usage(sys.stderr)
        said = f"{self.prog}: error: {message}"
        lines = textwrap.wrap(said, COLUMNS, subsequent_indent="  ", break_on_hyphens=False)
        self.exit(USAGE, "\n".join([*lines, ""]))


class _Version(argparse.Action):
    """Print the version: reading it takes longer than most words do."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        sys.stdout.write(f"assay {version()}\n")
        parser.exit()


_WORDS = {word.name: word for word in WORDS}


@cache
def parser(
    asked: str | None = None, *, is_whole: bool = False, is_alone: bool = False
) -> argparse.ArgumentParser:
    """The words of `assay`, of which the one that is asked for has its arguments, or all have.

    Where it comes first, nobody asks for the others, and it may stand alone.
    """
    about = "Trust registries, download, publish, verify what they sign; watch ledgers."
    words = _listing(_Parser(prog="assay", description=about))
    words.add_argument(
        "--version", action=_Version, nargs=0, help="show program's version number and exit"
    )
    commands = words.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for word in (_WORDS[asked],) if is_alone and asked else WORDS:
        its = commands.add_parser(word.name, help=word.purpose)
        if is_whole or word.name == asked:
            word.add_arguments(_listing(its) if word.lists_exit_codes else its)
    return words


def _listing(words: _Parser) -> _Parser:
    words.lists_exit_codes = True
    words.formatter_class = argparse.RawDescriptionHelpFormatter
    return words


@cache
def exit_codes() -> str:
    """Every exit code with its meaning, read from the errors themselves."""
    rows = {0: "Everything was verified or done.", USAGE: "The command line has a mistake."}
    for error in _errors():
        rows[error.exit_code] = f"{error.code}: {(error.__doc__ or '').partition(chr(10))[0]}"
    lines = ["exit codes:"]
    for code, meaning in sorted(rows.items()):
        wrapped = textwrap.wrap(meaning, COLUMNS - 6)
        lines += [f"  {code:>2}  {wrapped[0]}", *(f"      {more}" for more in wrapped[1:])]
    return "\n".join(lines)


def _errors() -> Iterator[type[AssayError]]:
    """All that a command can end with; parents are not raised themselves."""
    from .. import client, monitor, witness  # noqa: PLC0415 - none of them is needed to verify
    from . import errors  # noqa: PLC0415

    never_here = (SignerError, VerificationError, client.WitnessElsewhere)
    raised_by = (AssayError, client.ClientError, errors.InputUnreadable)
    states = (witness.WitnessStateBroken, monitor.MonitorStateBroken)
    modules = {kind.__module__ for kind in (*raised_by, *states)}
    for error in _family(AssayError):
        if error.__module__ in modules and error not in never_here:
            yield error


def _family(parent: type[AssayError]) -> Iterator[type[AssayError]]:
    for child in parent.__subclasses__():
        yield child
        yield from _family(child)


def version() -> str:
    """The version of the installed wheel; a checkout has none."""
    from importlib import metadata  # noqa: PLC0415 - it reads mail, which takes 40 ms

    try:
        return metadata.version("assay")
    except metadata.PackageNotFoundError:
        return "(checkout)"
