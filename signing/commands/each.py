# SPDX-License-Identifier: Apache-2.0
"""Judge each of several artifacts by itself: what is wrong with one says nothing of the others."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NoReturn

from ..digests import as_id, parse_id
from ..errors import AssayError
from ..trust import Pinned
from ..values import dataclass
from . import inputs
from .demands import Demands
from .errors import FingerprintMismatch
from .given import Given, pack_of
from .inputs import Hasher
from .judging import judge
from .pinned import NAMED
from .verdict import Judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one artifact: judged, or why it could not be."""

    name: str
    """The path on the command line."""
    given: Given | None
    outcome: Judged | AssayError

    @property
    def failure(self) -> AssayError | None:
        """Why it is not verified."""
        return self.outcome.failure if isinstance(self.outcome, Judged) else self.outcome


def results(
    arguments: argparse.Namespace,
    demanded: Demands,
    pins: tuple[Pinned, ...],
    *,
    reader: Hasher,
    now: datetime,
) -> Iterator[Result]:
    """Of each path what is in it, judged by these pins, or by the root that was named."""
    for path in arguments.paths:
        name = str(path)
        try:
            found = inputs.read(
                path,
                evidence=arguments.evidence,
                proof=arguments.proof,
                checkpoint=arguments.checkpoint,
                hasher=reader,
                accepts_excerpt=demanded.accepts_excerpt,
            )
        except argparse.ArgumentError as error:
            refuse(arguments, str(error))
        except AssayError as error:
            yield Result(name=name, given=None, outcome=error)
            continue
        for given in found:
            try:
                pack = pack_of(given)
                trusted = pins or _named(arguments, given, now=now)
                judged = judge(given, trusted, demanded.of_pack(pack), name=name)
            except AssayError as error:
                yield Result(name=name, given=given, outcome=error)
            else:
                yield Result(name=name, given=given, outcome=judged)


def refuse(arguments: argparse.Namespace, why: str) -> NoReturn:
    """End as for any mistake in the command line."""
    refuses: Callable[[str], NoReturn] = arguments.refuse_words
    refuses(why)


def _named(arguments: argparse.Namespace, given: Given, *, now: datetime) -> tuple[Pinned, ...]:
    """The root in a pack whose fingerprint was named: trusted this once, and kept nowhere."""
    if arguments.fingerprint is None:
        return ()
    pack = pack_of(given)
    if pack is None:
        refuse(arguments, "--fingerprint goes with an evidence pack, whose root it names")
    expected, found = parse_id(arguments.fingerprint), pack.trust.fingerprint
    if found != expected:
        raise FingerprintMismatch(
            f"--fingerprint: expected {as_id(expected)}, found {as_id(found)} in the pack: "
            "nothing was verified"
        )
    return (Pinned(root=pack.trust, pinned_at=now, pinned_from=NAMED),)
