# SPDX-License-Identifier: Apache-2.0
"""`manage.py authority WORD`: ceremonies, rotations, revocations (docs/guides/operator.md)."""

from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from assay.signing.errors import AssayError
from registry.api.problems import Problem
from registry.authority.management import holding, revoking, rotations

ACTIONS = {
    "ceremony": holding.CEREMONY,
    "request": holding.REQUEST,
    "init": holding.INIT,
    "show": rotations.SHOW,
    "rotate": rotations.ROTATE,
    "root-list": rotations.ROOT_LIST,
    "revoke": revoking.REVOKE,
    "revoke-intermediate": revoking.REVOKE_INTERMEDIATE,
    "compromise": revoking.COMPROMISE,
}


class Command(BaseCommand):
    help = "Makes, shows and rotates the registry's certificate authority, and revokes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        words = parser.add_subparsers(dest="action", required=True)
        for word, action in ACTIONS.items():
            action.add(words.add_parser(word, help=action.help))

    def handle(self, *_args: object, **options: object) -> None:
        try:
            for line in ACTIONS[str(options["action"])].run(options):
                self.stdout.write(f"{line}\n")
                self.stdout.flush()
        except (AssayError, Problem) as error:
            raise CommandError(f"{error.code}: {error}") from error
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error
