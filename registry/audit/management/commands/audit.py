# SPDX-License-Identifier: Apache-2.0
"""`manage.py audit verify`: that no audit row was changed, taken out or put in between."""

from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from registry.audit import queries


class Command(BaseCommand):
    help = "Recomputes the chain of audit rows; prints their number and the last digest."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("verb", choices=["verify"])

    def handle(self, *args: object, **options: object) -> None:
        try:
            chain = queries.verify()
        except queries.BrokenChain as error:
            raise CommandError(str(error)) from error
        emptied = f", {chain.redacted} of them emptied by erasures" if chain.redacted else ""
        self.stdout.write(
            f"{chain.rows} audit rows, chained{emptied}; the last is sha256:{chain.head}"
        )
