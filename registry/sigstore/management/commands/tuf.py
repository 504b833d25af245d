# SPDX-License-Identifier: Apache-2.0
"""`manage.py tuf root|refresh`: a TUF root by the offline key, and what is distributed below it."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from assay.signing.errors import AssayError
from assay.signing.keys import SoftwareKey
from registry.api.problems import Problem
from registry.authority import queries
from registry.authority.ceremony import OFFLINE_FOLDER, ROOT_PASSPHRASE_FILE, secret
from registry.sigstore import distributing

KEY_FILE = "tuf-root.key.pem"


class Command(BaseCommand):
    help = "Distributes the trusted root by TUF (The Update Framework)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        root = actions.add_parser(
            "root", help="sign the first root, or the next one, with its key on this machine"
        )
        root.add_argument(
            "--offline",
            type=Path,
            help="where the offline keys are (default: offline in the authority's folder); "
            f"{KEY_FILE} is made there the first time",
        )
        actions.add_parser("refresh", help="distribute what there is now, if it is due")

    def handle(self, *_args: object, **options: object) -> None:
        try:
            if options["action"] == "root":
                self._root(options["offline"])
            else:
                is_new = distributing.refresh(now=timezone.now())
                self.stdout.write("distributed anew\n" if is_new else "nothing is due\n")
        except (AssayError, Problem) as error:
            raise CommandError(f"{error.code}: {error}") from error
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error

    def _root(self, given: object) -> None:
        offline = given if isinstance(given, Path) else queries.folder() / OFFLINE_FOLDER
        if not offline.is_dir():
            raise CommandError(
                f"expected the folder of the offline keys at {offline}, found none: bring it, and "
                "name it by --offline"
            )
        passphrase = secret(offline / ROOT_PASSPHRASE_FILE)
        path = offline / KEY_FILE
        if not path.exists() and distributing.newest_root() is None:
            SoftwareKey.generate().store(path, passphrase)
        version = distributing.sign_root(SoftwareKey.load(path, passphrase), now=timezone.now())
        self.stdout.write(
            f"{distributing.folder() / f'{version}.root.json'}\n"
            f"Move {path} to where the authority's root key is, offline. It was opened on this\n"
            "machine: who owned it just now can have kept it. Clients begin with 1.root.json;\n"
            "give it to them by a way that they trust.\n"
        )
