# SPDX-License-Identifier: Apache-2.0
"""`manage.py tuf request|root|refresh`: a root signed offline, and what is distributed below it."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from assay.signing.durable import make_folder, write_file
from assay.signing.errors import AssayError
from assay.signing.signer.keyring import Keyring
from assay.signing.signer.offline.distributing import KEY_FILE, REQUEST_FILE, sign
from registry.api.problems import Problem
from registry.authority import queries
from registry.authority.ceremony import (
    OFFLINE_FOLDER,
    ROOT_KEY_FILE,
    ROOT_PASSPHRASE_FILE,
    secret,
)
from registry.sigstore import distributing


class Command(BaseCommand):
    help = "Distributes the trusted root by TUF (The Update Framework)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        request = actions.add_parser("request", help="ask the root's machine for the next root")
        request.add_argument("--to", type=Path, required=True, metavar="FOLDER")
        root = actions.add_parser("root", help="publish the next root")
        where = root.add_mutually_exclusive_group()
        where.add_argument(
            "--from", dest="signed", type=Path, metavar="FILE", help="what that machine answered"
        )
        where.add_argument(
            "--offline",
            type=Path,
            metavar="FOLDER",
            help="where the offline keys are, to sign it here (default: offline in the "
            f"authority's folder); {KEY_FILE} is made there the first time",
        )
        actions.add_parser("refresh", help="distribute what there is now, if it is due")

    def handle(self, *_args: object, **options: object) -> None:
        try:
            match options["action"], options.get("to"), options.get("signed"):
                case "request", Path() as folder, _:
                    self._request(folder)
                case "root", _, Path() as file:
                    self._published(file.read_bytes())
                case "root", _, _:
                    self._root(options["offline"])
                case _:
                    is_new = distributing.refresh(now=timezone.now())
                    self.stdout.write("distributed anew\n" if is_new else "nothing is due\n")
        except (AssayError, Problem) as error:
            raise CommandError(f"{error.code}: {error}") from error
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error

    def _request(self, folder: Path) -> None:
        if not folder.exists():
            make_folder(folder)
        write_file(folder / REQUEST_FILE, distributing.request().dumps())
        self.stdout.write(f"{folder / REQUEST_FILE}\n")

    def _root(self, given: object) -> None:
        offline = given if isinstance(given, Path) else queries.folder() / OFFLINE_FOLDER
        if not offline.is_dir():
            raise CommandError(
                f"expected the folder of the offline keys at {offline}, found none: bring it, and "
                "name it by --offline"
            )
        keyring = Keyring(secret(offline / ROOT_PASSPHRASE_FILE))
        place = keyring.place(offline / ROOT_KEY_FILE)
        asked, now = distributing.request(), timezone.now()
        self._published(sign(asked, offline, keyring=keyring, at=now, within=place))
        self.stdout.write(
            f"Move {offline / KEY_FILE} to where the authority's root key is, offline. It was\n"
            "opened on this machine: who owned it just now can have kept it.\n"
        )

    def _published(self, root: bytes) -> None:
        version = distributing.take_root(root, now=timezone.now())
        self.stdout.write(
            f"{distributing.folder() / f'{version}.root.json'}\n"
            "Clients begin with 1.root.json; give it to them by a way that they trust.\n"
        )
