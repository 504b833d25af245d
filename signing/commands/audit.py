# SPDX-License-Identifier: Apache-2.0
"""`assay audit`: export all that was signed in a name during a period, and check such an export.

assay audit export NAME --since DATE --until DATE --to FILE [--registry URL]
assay audit verify FILE [--ledger URL]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from .. import durable, merkle, periods
from ..canonical import instant_text
from ..client import LedgerClient, RegistryClient, address
from ..errors import (
    BadTile,
    MissingEvidence,
    NoTrustRoot,
    Outcome,
    VerificationError,
)
from ..periods import Examined
from ..tiles import WIDTH, Reader
from ..trust import Pinned
from .callers import secret_demanded
from .errors import DestinationTaken, InputUnreadable
from .pins import Pins, only_registry
from .terminal import Ink, Terminal, safe

EXPORTS_PATH = "/api/v1/period-exports"
MAX_SHOWN = 20
DAY = timedelta(days=1)


def add_parsers(parser: argparse.ArgumentParser) -> None:
    """The words of `assay audit`."""
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    export = acts.add_parser("export", help="all that was signed in a name during a period")
    add = export.add_argument
    add("name", metavar="NAME", help="your own, or that of an organisation that you own")
    add("--since", type=_day, required=True, metavar="DATE", help="the first day, in UTC")
    add("--until", type=_day, required=True, metavar="DATE", help="the last day, in UTC")
    add("--to", type=Path, required=True, metavar="FILE", help="where to write it")
    add("--registry", metavar="URL", help="the registry; else the one that you trust")
    verify = acts.add_parser("verify", help="check an export, offline")
    add = verify.add_argument
    add("file", type=Path, metavar="FILE", help="the export")
    add("--ledger", metavar="URL", help="the registry, to find what of its ledger is missing")


def run(arguments: argparse.Namespace, *, terminal: Terminal) -> int:
    """0, or the exit code of the first thing that is wrong. Raises AssayError."""
    if arguments.act == "export":
        return _export(arguments, terminal)
    return _verify(arguments.file, arguments.ledger, terminal)


def _export(arguments: argparse.Namespace, terminal: Terminal) -> int:
    pins = Pins.of_user().all()
    url = address(arguments.registry or only_registry(pins, word="--registry URL"))
    now = datetime.now(UTC).replace(microsecond=0)
    body = {
        "name": arguments.name,
        "since": instant_text(_midnight(arguments.since)),
        "until": instant_text(min(_midnight(min(arguments.until, now.date()) + DAY), now)),
    }
    target: Path = arguments.to
    if target.exists():
        raise DestinationTaken(f"{target}: expected nothing there, found something")
    try:
        with (
            RegistryClient(url, secret_demanded(url)) as client,
            durable.replacing(target) as file,
        ):
            for chunk in client.post_for_stream(EXPORTS_PATH, body):
                file.write(chunk)
    except OSError as error:
        raise InputUnreadable(f"{target}: {error.strerror or error}") from error
    return _verify(target, None, terminal)


def _verify(path: Path, ledger: str | None, terminal: Terminal) -> int:
    """Judge the file, say what it holds, and with a ledger what it leaves out."""
    pins = Pins.of_user().all()
    if not pins:
        raise NoTrustRoot("no registry is trusted yet. To trust one: assay trust add URL")
    try:
        examined = _judged(path, pins)
    except OSError as error:
        raise InputUnreadable(f"{path}: {error.strerror or error}") from error
    _print(examined, terminal)
    if examined.refused:
        _print_refused(examined, terminal)
        return examined.refused[0].error.exit_code
    if ledger is None:
        terminal.headline("Every line verifies.", Ink.GREEN)
        hint = "Whether a line is missing, only the ledger can tell: --ledger URL."
        terminal.columns("", hint, indent=2)
        return 0
    left_out = tuple(periods.missing(examined, _entries(examined, address(ledger))))
    if left_out:
        shown = ", ".join(map(str, left_out[:MAX_SHOWN]))
        raise MissingEvidence(
            f"expected a line for each entry of {safe(examined.head.name)}, "
            f"found none for {len(left_out)}: {shown}"
        )
    terminal.headline("Every line verifies, and none is missing.", Ink.GREEN)
    return 0


def _judged(path: Path, pins: tuple[Pinned, ...]) -> Examined:
    """Under the first root that the export verifies by; raises what was wrong under the last."""

    def lines() -> Iterator[bytes]:
        with path.open("rb") as file:
            while line := file.readline(periods.MAX_LINE_BYTES + 1):
                yield line

    refusals: list[VerificationError] = []
    for pin in pins:
        try:
            return periods.examine(lines, trust=pin.root)
        except VerificationError as error:
            refusals.append(error)
    raise refusals[-1]


def _entries(examined: Examined, url: str) -> Iterable[tuple[int, bytes]]:
    """The period's entries from the ledger's files, under the tree head that the end leads to."""
    client = LedgerClient(f"{url}/ledger")
    reader = Reader(size=examined.size, fetch=client.fetch)
    if reader.root() != examined.root:
        raise BadTile(f"expected tiles of the signed root {examined.root.hex()}, found others")
    first, end = examined.head.first, min(examined.head.end, examined.size)
    for number in range(first // WIDTH, -(-end // WIDTH)):
        pairs = zip(reader.entries(number), reader.leaf_hashes(number), strict=True)
        for index, (entry, leaf) in enumerate(pairs, start=number * WIDTH):
            if merkle.leaf_hash(entry) != leaf:
                raise BadTile(f"expected the entry {index} that its leaf hash names, found another")
            yield index, entry


def _print(examined: Examined, terminal: Terminal) -> None:
    head, counts = examined.head, examined.counts
    terminal.line(f"{terminal.mark(Outcome.PASSED)} {safe(head.name)} at {safe(head.registry)}")
    terminal.line(f"  from {instant_text(head.since)} until {instant_text(head.until)}")
    terminal.line(f"  entries {head.first} up to {head.end} of the ledger")
    for kind in ("statement", "erased", "certificate", "acceptance", "revocation"):
        if kind in counts:
            terminal.line(f"  {counts[kind]:>8}  {kind}")
    if examined.revoked:
        said = f"{len(examined.revoked)} of them under certificates that were revoked"
        terminal.columns("! ", said, indent=2, ink=Ink.YELLOW)
    terminal.line(f"  to be kept until {head.kept_until:%Y-%m-%d}")
    terminal.columns("", safe(head.retention.source), indent=4)


def _print_refused(examined: Examined, terminal: Terminal) -> None:
    for each in examined.refused[:MAX_SHOWN]:
        mark = f"{terminal.mark(Outcome.FAILED)} "
        said = f"line {each.number}: {each.error.code}: {each.error}"
        terminal.columns(mark, said, indent=2, ink=Ink.RED)
    terminal.headline(f"{len(examined.refused)} lines do not verify.", Ink.RED)


def _day(words: str) -> date:
    try:
        return date.fromisoformat(words)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"expected a day such as 2026-11-20: {error}") from error


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)
