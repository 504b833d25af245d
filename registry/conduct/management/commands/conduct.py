# SPDX-License-Identifier: Apache-2.0
"""`manage.py conduct publish`: signs and logs the policies that ship here, or one of a folder."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from assay.signing.digests import as_id
from assay.signing.errors import AssayError
from registry.api.problems import Problem
from registry.conduct import services


class Command(BaseCommand):
    help = "Publishes conduct versions: signs them and writes them into the ledger, once each."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        publish = actions.add_parser("publish", help="sign and log a version")
        publish.add_argument(
            "document",
            nargs="?",
            type=Path,
            help="VERSION.json, with VERSION.md beside it (default: every policy that ships)",
        )

    def handle(self, *_args: object, document: Path | None = None, **_options: object) -> None:
        try:
            published = (
                services.publish_shipped()
                if document is None
                else (services.publish_version(document.parent, document.stem),)
            )
        except (AssayError, Problem, OSError) as error:
            raise CommandError(str(error)) from error
        for version in published:
            self.stdout.write(f"{version}  {as_id(version.sha256)}")
