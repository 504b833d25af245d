# SPDX-License-Identifier: Apache-2.0
"""`manage.py user create NAME`: a person from the operator's terminal; the password on stdin."""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from registry.accounts import services
from registry.api.problems import Problem


class Command(BaseCommand):
    help = "Creates a person; reads the password from standard input."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        create = verbs.add_parser("create", help="give a person a name")
        create.add_argument("name", help="2 to 39 characters a-z, 0-9 and single hyphens")
        create.add_argument("--staff", action="store_true", help="may issue generation tokens")
        create.add_argument("--no-password", action="store_true", help="signs in by token only")

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401 - argparse's
        password = None if options["no_password"] else _password()
        try:
            services.create_user(options["name"], password, is_staff=options["staff"])
        except Problem as problem:
            raise CommandError(str(problem.detail)) from problem
        self.stderr.write(f"{options['name']} may sign in")


def _password() -> str:
    if sys.stdin.isatty():
        return getpass.getpass()
    return sys.stdin.readline().rstrip("\n")
