# SPDX-License-Identifier: Apache-2.0
"""`manage.py restore FOLDER`: a backup into an empty place, opened once all of it is verified."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from assay.signing.digests import as_id
from assay.signing.errors import AssayError
from registry.backup import restoring
from registry.backup.errors import BackupError
from registry.backup.restoring import Restored

UNVOUCHED = (
    "Nothing but the backup itself says that it is the newest: no mark of the signer was here. If\n"
    "a witness or a monitor has a newer tree head, stop, and restore a newer backup.\n"
)
LOST_LINES = (
    "{} lines of the signer's audit file are lost: its mark was newer than the audit file of the\n"
    "backup. The ledger is whole; what else was signed then is on no record any more.\n"
)


class Command(BaseCommand):
    help = "Restores a backup into an empty folder and database, and verifies it before it opens."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="a backup, or a folder of them: the newest")
        parser.add_argument(
            "--tree-head",
            type=Path,
            metavar="FILE",
            help="a tree head that a witness or a monitor saw: the backup must go at least as far",
        )

    def handle(self, *_args: object, **options: object) -> None:
        folder, seen = Path(str(options["folder"])), options["tree_head"]
        try:
            restored = restoring.restore(
                folder.absolute(), seen=seen if isinstance(seen, Path) else None, say=self._say
            )
        except (AssayError, BackupError) as error:
            raise CommandError(f"{error.code}: {error}") from error
        except OSError as error:
            message = f"{error.filename or folder}: {error.strerror}; nothing was opened"
            raise CommandError(f"not-restored: {message}") from error
        self._report(restored)

    def _say(self, text: str) -> None:
        self.stdout.write(f"… {text}")

    def _report(self, restored: Restored) -> None:
        checked = restored.checked
        self.stdout.write(
            f"backup       {restored.backup.folder}, of {restored.backup.contents.made_at}\n"
            f"registry     {restored.trust.registry}\n"
            f"fingerprint  {as_id(restored.trust.fingerprint)}\n"
            f"verified     {checked.entries} entries, {checked.signatures} signatures, "
            f"{restored.blobs} blobs, {checked.audit_rows} audit rows\n"
            "Writes are open.\n"
        )
        if not restored.is_vouched:
            self.stdout.write(UNVOUCHED)
        if restored.lost_lines:
            self.stdout.write(LOST_LINES.format(restored.lost_lines))
