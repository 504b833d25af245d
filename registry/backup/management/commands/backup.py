# SPDX-License-Identifier: Apache-2.0
"""`manage.py backup FOLDER`: database, blobs and the signer's high-water mark; never a key."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from registry.backup import saving
from registry.backup.errors import BackupError


class Command(BaseCommand):
    help = "Makes a backup: database, blobs, the signer's high-water mark. Keys: `keys wrap`."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="a folder of backups; blobs are kept once")

    def handle(self, *_args: object, **options: object) -> None:
        folder = Path(str(options["folder"]))
        try:
            saved = saving.save(folder.absolute(), at=timezone.now())
        except BackupError as error:
            raise CommandError(f"{error.code}: {error}") from error
        except OSError as error:
            message = f"{error.filename or folder}: {error.strerror}; no backup was made"
            raise CommandError(f"not-written: {message}") from error
        self.stdout.write(
            f"backup   {saved.backup.folder}\n"
            f"ledger   {saved.backup.contents.entries} entries\n"
            f"blobs    {saved.blobs}, {saved.copied} of them new\n"
            "Its keys are not in it: `manage.py keys wrap FILE`.\n"
        )
