# SPDX-License-Identifier: Apache-2.0
"""`manage.py storage scrub`: reads every blob again, and repairs what rotted from a second copy."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from registry.api.problems import Problem
from registry.env import size_of
from registry.storage import scrubbing
from registry.storage.scrubbing import Pace


class Command(BaseCommand):
    help = "Hashes every blob again, goes on where it stopped, and ends with 1 if any is damaged."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        scrub = verbs.add_parser("scrub", help="hash every blob again")
        scrub.add_argument("--rate", help="bytes a second at most, like 50M (as fast as can be)")
        scrub.add_argument("--json", action="store_true", help="the outcome as one JSON object")

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 - argparse's
        rate = options["rate"]
        if rate is not None and not size_of(rate):
            raise CommandError(f"expected bytes a second like 500K or 50M, found {rate!r}")
        try:
            found = scrubbing.scrub(pace=Pace(rate_bytes=size_of(rate or "0") or 0))
        except Problem as problem:
            raise CommandError(str(problem.detail)) from problem
        except OSError as error:
            raise CommandError(f"{error}; say this again when it does, to go on") from error
        damaged = scrubbing.damaged()
        outcome = {**found.outcome(), "unrepaired": damaged}
        self.stdout.write(json.dumps(outcome) if options["json"] else _words(outcome))
        if damaged:
            raise CommandError(
                f"{len(damaged)} blobs are damaged and no copy of them is sound: send those files "
                "again, or put them back from a backup"
            )


def _words(outcome: dict[str, object]) -> str:
    counts = [f"{name:<11} {found}" for name, found in outcome.items() if name != "unrepaired"]
    lost = outcome["unrepaired"]
    lines = [f"damaged     sha256:{each}" for each in lost] if isinstance(lost, list) else []
    return "\n".join([*counts, *lines])
