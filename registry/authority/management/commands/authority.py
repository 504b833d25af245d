# SPDX-License-Identifier: Apache-2.0
"""`manage.py authority WORD`: ceremonies, rotations, revocations (docs/guides/operator.md)."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path

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
            is_read = True
            for line in ACTIONS[str(options["action"])].run(options):
                # Whoever stops reading stops nothing: each action is run to its end.
                is_read = is_read and self._show(line)
        except (AssayError, Problem) as error:
            raise CommandError(f"{error.code}: {error}") from error
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error

    def _show(self, line: str) -> bool:
        """Print a line at once; False once nobody reads."""
        try:
            self.stdout.write(f"{line}\n")
            self.stdout.flush()
        except BrokenPipeError:
            # What is still in the buffer is written once more as the process ends, to nobody.
            with suppress(OSError), Path(os.devnull).open("wb") as nowhere:
                os.dup2(nowhere.fileno(), self.stdout.fileno())
            return False
        return True
