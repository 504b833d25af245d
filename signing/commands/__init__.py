# SPDX-License-Identifier: Apache-2.0
"""The `assay` command: decide whom to trust, log in, download, verify offline, sign, watch.

One module for each noun; here the words are parsed, errors become exit codes, and a stranger's
file, whatever its bytes, never becomes a traceback.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib import metadata

from ..client import ClientError, WitnessElsewhere
from ..errors import (
    AssayError,
    Outcome,
    SignerError,
    VerificationError,
)
from ..monitor import MonitorStateBroken
from ..witness import WitnessStateBroken
from . import (
    asserting,
    audit,
    conduct,
    download,
    gateway,
    importing,
    info,
    login,
    mirror,
    monitor,
    oms,
    publish,
    results,
    search,
    sign,
    sigstore,
    token,
    trust,
    verify,
    whoami,
    witness,
)
from .errors import InputUnreadable
from .programs import error_json
from .terminal import COLUMNS, Ink, Terminal

INTERRUPTED = 130  # 128 + SIGINT, as shells have it
BROKEN_PIPE = 141  # 128 + SIGPIPE
OUTPUT_LOST = 74  # sysexits.h: EX_IOERR
USAGE = 2


WORDS: tuple[tuple[str, str, Callable[[argparse.ArgumentParser], None]], ...] = (
    ("trust", "decide which registries to trust", trust.add_parsers),
    ("verify", "verify a checkpoint or an output, offline", verify.add_arguments),
    (
        "download",
        "download a checkpoint, which appears once it is verified",
        download.add_arguments,
    ),
    (
        "mirror",
        "keep a project as a static folder that verifies without its registry",
        mirror.add_arguments,
    ),
    ("login", "keep a token for a registry on this machine", login.add_arguments),
    ("logout", "forget it", login.add_logout_arguments),
    ("whoami", "say whose the token is, and what it may", whoami.add_arguments),
    ("token", "print the token, for programs of others", token.add_arguments),
    ("info", "say what a registry says of a checkpoint", info.add_arguments),
    ("search", "find projects of a registry", search.add_arguments),
    ("publish", "send files, have them signed, and verify that", publish.add_arguments),
    (
        "results",
        "say how a checkpoint did, in your name, and verify that",
        results.add_arguments,
    ),
    ("import", "have what torch.save wrote converted and committed", importing.add_arguments),
    ("witness", "cosign the tree heads of ledgers that you watch", witness.add_arguments),
    (
        "gateway",
        "have the answers of an OpenAI-compatible server signed",
        gateway.add_arguments,
    ),
    (
        "sign",
        "have an output signed, or sign a model (OpenSSF Model Signing)",
        sign.add_arguments,
    ),
    ("oms", "what OMS conformance suites call", oms.add_parsers),
    ("conduct", "read a code of conduct, accept it, withdraw", conduct.add_parsers),
    (
        "monitor",
        "follow a registry's ledger, and find out if it ever lies",
        monitor.add_arguments,
    ),
    ("audit", "export a period of what you signed, and check one", audit.add_parsers),
    ("sigstore", "verify a Sigstore bundle, offline", sigstore.add_parsers),
)
VERIFYING = frozenset({"verify", "download", "mirror"})  # whose help lists the exit codes, too


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code is in `assay --help`."""
    arguments = parser().parse_args(argv)
    try:
        code = _run(arguments)
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


def _run(arguments: argparse.Namespace) -> int:
    terminal, complaints = Terminal.on(sys.stdout), Terminal.on(sys.stderr)
    try:
        code = _COMMANDS[arguments.command](arguments, terminal, complaints)
    except AssayError as error:
        if getattr(arguments, "json", False):
            failure = {**_FAILED.get(arguments.command, {}), "error": error_json(error)}
            terminal.line(json.dumps(failure, indent=2))
        _complain(error, complaints)
        code = error.exit_code
    sys.stdout.flush()
    return code


def _complain(error: AssayError, complaints: Terminal) -> None:
    """What was expected and found; of a registry's refusal each reason on a line of its own."""
    reasons = error.reasons if isinstance(error, ClientError) else ()
    said = error.title if isinstance(error, ClientError) and reasons else str(error)
    mark = f"{complaints.mark(Outcome.FAILED)} "
    complaints.columns(mark, f"{error.code}: {said}", indent=2, ink=Ink.RED)
    for reason in reasons:
        complaints.columns("", reason, indent=4)


# What runs each word: with its arguments, where to print, and where to complain.
_COMMANDS: Mapping[str, Callable[[argparse.Namespace, Terminal, Terminal], int]] = {
    "trust": lambda words, out, _: trust.run(words, terminal=out),
    "login": lambda words, out, _: login.login(words, terminal=out),
    "logout": lambda words, out, _: login.logout(words, terminal=out),
    "whoami": lambda words, out, _: whoami.run(words, terminal=out),
    "token": lambda words, out, _: token.run(words, terminal=out),
    "verify": lambda words, out, err: verify.run(words, terminal=out, progress=err),
    "download": lambda words, out, err: download.run(words, terminal=out, progress=err),
    "mirror": lambda words, out, err: mirror.run(words, terminal=out, progress=err),
    "info": lambda words, out, _: info.run(words, terminal=out),
    "search": lambda words, out, _: search.run(words, terminal=out),
    "publish": lambda words, out, err: publish.run(words, terminal=out, progress=err),
    "results": lambda words, out, _: results.run(words, terminal=out),
    "import": lambda words, out, err: importing.run(words, terminal=out, progress=err),
    "witness": lambda words, out, _: witness.run(words, terminal=out),
    "gateway": lambda words, out, err: gateway.run(words, terminal=out, complaints=err),
    "sign": lambda words, out, _: (
        sign.run(words, terminal=out)
        if words.checkpoint is None
        else asserting.run(words, terminal=out)
    ),
    "oms": lambda words, _, __: oms.run(words),
    "monitor": lambda words, out, err: monitor.run(words, terminal=out, complaints=err),
    "audit": lambda words, out, _: audit.run(words, terminal=out),
    "sigstore": lambda words, out, _: sigstore.run(words, terminal=out),
    "conduct": lambda words, out, _: conduct.run(words, terminal=out),
}
# What a program that reads JSON finds beside the error.
_FAILED = {word: {"verified": False} for word in ("trust", "verify", "download", "mirror")} | {
    "publish": {"published": False},
    "import": {"imported": False},
}


@cache
def parser() -> argparse.ArgumentParser:
    """The words of `assay`, and what its exit codes mean."""
    about = "Trust registries, download, publish, verify what they sign; watch ledgers."
    words = _with_exit_codes(argparse.ArgumentParser(prog="assay", description=about))
    words.add_argument("--version", action="version", version=f"assay {version()}")
    commands = words.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, purpose, add_arguments in WORDS:
        word = commands.add_parser(name, help=purpose)
        add_arguments(_with_exit_codes(word) if name in VERIFYING else word)
    return words


def _with_exit_codes(word: argparse.ArgumentParser) -> argparse.ArgumentParser:
    word.epilog, word.formatter_class = exit_codes(), argparse.RawDescriptionHelpFormatter
    return word


@cache
def exit_codes() -> str:
    """Every exit code with its meaning, read from the errors themselves."""
    rows = {0: "Everything was verified or done.", USAGE: "The command line has a mistake."}
    for error in _family(AssayError):
        if error.__module__ in _MODULES and error not in _NEVER_HERE:
            rows[error.exit_code] = f"{error.code}: {(error.__doc__ or '').partition(chr(10))[0]}"
    lines = ["exit codes:"]
    for code, meaning in sorted(rows.items()):
        wrapped = textwrap.wrap(meaning, COLUMNS - 6)
        lines += [f"  {code:>2}  {wrapped[0]}", *(f"      {more}" for more in wrapped[1:])]
    return "\n".join(lines)


# Parents that are not raised themselves, and what only other programs meet.
_NEVER_HERE = (SignerError, VerificationError, WitnessElsewhere)
_MODULES = tuple(
    kind.__module__
    for kind in (AssayError, ClientError, InputUnreadable, WitnessStateBroken, MonitorStateBroken)
)


def _family(parent: type[AssayError]) -> Iterator[type[AssayError]]:
    for child in parent.__subclasses__():
        yield child
        yield from _family(child)


def version() -> str:
    """The version of the installed wheel; a checkout has none."""
    try:
        return metadata.version("assay")
    except metadata.PackageNotFoundError:
        return "(checkout)"
