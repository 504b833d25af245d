# SPDX-License-Identifier: Apache-2.0
"""`manage.py authority init|revoke`: the key ceremony, and taking a certificate back."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from assay.signing.digests import as_id
from assay.signing.errors import AssayError
from assay.signing.revocation import Reason
from registry.api.problems import Problem
from registry.authority import ceremony, queries, revocations
from registry.authority.ceremony import Names


class Command(BaseCommand):
    help = "Makes the registry's certificate authority, once, and revokes certificates."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        init = actions.add_parser("init", help="hold the key ceremony unless it was held")
        init.add_argument(
            "--passphrase-file",
            type=Path,
            help="what the signer's keys are encrypted with; made if it is not there "
            "(default: secrets/signer-passphrase in ASSAY_DATA_DIR)",
        )

        revoke = actions.add_parser("revoke", help="take a certificate back, for ever")
        revoke.add_argument("serial", help="its serial number in hexadecimal")
        revoke.add_argument("--reason", required=True, choices=[each.value for each in Reason])
        revoke.add_argument(
            "--invalid-from",
            type=datetime.fromisoformat,
            help="since when its key may be in wrong hands, such as 2026-11-20T09:30:00+00:00",
        )

    def handle(self, *_args: object, **options: object) -> None:
        if options["action"] == "revoke":
            self._revoke(options)
        else:
            self._init(options)

    def _revoke(self, options: Mapping[str, object]) -> None:
        since = options["invalid_from"]
        if isinstance(since, datetime) and since.tzinfo is None:
            raise CommandError("expected --invalid-from with its offset from UTC, found none")
        try:
            statement = revocations.revoke(
                str(options["serial"]),
                Reason(str(options["reason"])),
                invalid_from=since if isinstance(since, datetime) else None,
            )
        except (AssayError, Problem) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"revoked; statement {as_id(statement.sha256)}\n")

    def _init(self, options: Mapping[str, object]) -> None:
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
