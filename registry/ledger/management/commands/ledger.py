# SPDX-License-Identifier: Apache-2.0
"""`manage.py ledger rebuild`: verifies the ledger from its leaves, and writes its files anew."""

from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from registry.api.problems import Problem
from registry.ledger import folder, rebuilding


class Command(BaseCommand):
    help = "Verifies every entry, hash and tree head of the ledger, and writes its tiles anew."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("rebuild", help="verify the ledger from its leaves and write its files")

    def handle(self, *_args: object, **_options: object) -> None:
        try:
            head = rebuilding.rebuild()
        except (Problem, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"entries  {head.size}\nroot     {bytes(head.root).hex()}\n"
            f"files    {folder.place('')}\n"
        )
