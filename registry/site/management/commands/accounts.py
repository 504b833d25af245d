# SPDX-License-Identifier: Apache-2.0
"""`manage.py accounts erase NAME`: a person leaves, and nothing here says any more who signed."""

from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from assay.signing.errors import SignerError
from registry.api.problems import Problem
from registry.site import erasing


class Command(BaseCommand):
    help = "Erases a person: record, salt and what names them. It cannot be undone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        erase = verbs.add_parser("erase", help="let nothing here name this person any more")
        erase.add_argument("name", help="the person, or the last part of their pseudonym")

    def handle(self, *_args: object, **options: str) -> None:
        try:
            erased = erasing.erase(options["name"])
        except (Problem, SignerError) as error:
            raise CommandError(str(getattr(error, "detail", error))) from error
        self.stderr.write(
            f"erased: {erased.certificates} certificates revoked, the words of {erased.statements} "
            f"statements and of {erased.audit_rows} audit rows removed; what is left is called "
            f"{erased.stub}. Backups from before still name who was behind "
            f"{erased.pseudonym or 'it'} (docs/guides/operator.md)"
        )
