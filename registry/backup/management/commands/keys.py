# SPDX-License-Identifier: Apache-2.0
"""`manage.py keys wrap|unwrap FILE`: the signer's keys in a file of their own, encrypted."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from assay.signing import durable
from assay.signing.errors import AssayError
from assay.signing.signer.keyring import read_passphrase
from registry.authority import queries as authority
from registry.backup import wrapping
from registry.backup.errors import BackupError


class Command(BaseCommand):
    help = "Wraps the signer's keys under a passphrase of their own, and puts them back."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        for action, meaning in (
            ("wrap", "write the signer's keys into FILE, which must be new"),
            ("unwrap", "put the keys in FILE where the signer looks for them"),
        ):
            words = actions.add_parser(action, help=meaning)
            words.add_argument("file", type=Path, metavar="FILE")
            words.add_argument(
                "--passphrase-file",
                type=Path,
                required=True,
                help="the wrapping's own passphrase: a line in a file of mode 0600",
            )
            words.add_argument(
                "--signer-passphrase-file",
                type=Path,
                default=Path(settings.DATA_DIR) / "secrets" / "signer-passphrase",
                help="what the signer is started with (default: where `up` keeps it)",
            )

    def handle(self, *_args: object, **options: object) -> None:
        actions: Mapping[object, Callable[[Path, bytes, Path], None]] = {
            "wrap": self._wrap,
            "unwrap": self._unwrap,
        }
        paths = [options[name] for name in ("file", "passphrase_file", "signer_passphrase_file")]
        file, passphrase_file, signer_file = (path for path in paths if isinstance(path, Path))
        try:
            actions[options["action"]](file, read_passphrase(passphrase_file), signer_file)
        except (AssayError, BackupError) as error:
            raise CommandError(f"{error.code}: {error}") from error
        except OSError as error:
            raise CommandError(f"{error.filename or file}: {error.strerror}") from error

    def _wrap(self, file: Path, passphrase: bytes, signer_file: Path) -> None:
        try:
            signer_passphrase = signer_file.read_bytes()
        except FileNotFoundError as error:
            raise CommandError(
                f"expected the signer's passphrase in {signer_file}, found none: wrap the keys on "
                "the machine that has them, or name it (--signer-passphrase-file)"
            ) from error
        wrapped = wrapping.wrap(
            authority.folder(), signer_passphrase=signer_passphrase, passphrase=passphrase
        )
        try:
            durable.create_file(file.absolute(), wrapped)
        except OSError as error:
            raise CommandError(
                f"not-written: expected a new file at {file}, in a folder that there is; found: "
                f"{error.strerror}. Nothing was replaced"
            ) from error
        self.stdout.write(
            f"keys     {file}\n"
            "Keep it and its passphrase apart from each other, and from the backups. The root key\n"
            "is not in it: it belongs offline.\n"
        )

    def _unwrap(self, file: Path, passphrase: bytes, signer_file: Path) -> None:
        files = wrapping.unwrap(file.read_bytes(), passphrase=passphrase)
        wrapping.put(files, folder=authority.folder(), passphrase_file=signer_file)
        self.stdout.write(
            f"keys     {authority.folder()}\n"
            "Now `manage.py restore FOLDER`: without a high-water mark the signer does not start.\n"
        )
