# SPDX-License-Identifier: Apache-2.0
"""`manage.py authority init`: makes the registry's root, keys and ledger, once and for ever."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from assay.signing.digests import as_id
from assay.signing.errors import AssayError
from registry.api.problems import Problem
from registry.authority import ceremony, queries
from registry.authority.ceremony import Names


class Command(BaseCommand):
    help = "Makes the registry's certificate authority and ledger key, once; again, shows them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        init = actions.add_parser("init", help="hold the key ceremony unless it was held")
        init.add_argument(
            "--passphrase-file",
            type=Path,
            help="what the signer's keys are encrypted with; made if it is not there "
            "(default: secrets/signer-passphrase in ASSAY_DATA_DIR)",
        )

    def handle(self, *_args: object, **options: object) -> None:
        given = options.get("passphrase_file")
        default = Path(settings.DATA_DIR) / "secrets" / "signer-passphrase"
        folder = queries.folder()
        try:
            trust_root = ceremony.init(
                folder,
                Names(registry_url=settings.PUBLIC_URL, origin=settings.LEDGER_ORIGIN),
                passphrase_file=given if isinstance(given, Path) else default,
                at=timezone.now(),
            )
        except (AssayError, Problem, OSError) as error:
            raise CommandError(str(error)) from error
        offline = folder / ceremony.OFFLINE_FOLDER
        self.stdout.write(
            f"registry      {trust_root.registry}\n"
            f"ledger        {trust_root.origin}\n"
            f"fingerprint   {as_id(trust_root.fingerprint)}\n"
        )
        if (offline / ceremony.ROOT_KEY_FILE).exists():
            self.stdout.write(
                f"\nThe root key and its passphrase are in {offline}. Nothing here needs them\n"
                "again until an intermediate expires: move each to a medium of its own, offline,\n"
                "and delete the folder.\n"
            )
