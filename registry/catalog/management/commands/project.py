# SPDX-License-Identifier: Apache-2.0
"""`manage.py project add`: makes a project, under a conduct version that its owner accepted."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from registry.accounts import queries as accounts
from registry.api.problems import Problem
from registry.conduct import queries as conduct
from registry.conduct.queries import PolicyVersion

from ... import services
from ...services import NewProject


class Command(BaseCommand):
    help = "Makes a project, a line of checkpoints under one owner and one conduct version."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        add = actions.add_parser("add", help="make a project")
        add.add_argument("project", metavar="OWNER/NAME")
        add.add_argument("--by", required=True, help="a person who acts for the owner")
        add.add_argument("--title", required=True)
        add.add_argument("--summary", default="")
        add.add_argument("--conduct", metavar="ID@VERSION", help="default: the code that ships")

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 - argparse's
        owner_name, _, name = options["project"].partition("/")
        owner, by = accounts.namespace(owner_name), accounts.user(options["by"])
        if owner is None or by is None:
            raise CommandError(f"expected names of an owner and a person, found {owner_name!r}")
        try:
            new = NewProject(
                owner=owner,
                name=name,
                title=options["title"],
                summary=options["summary"],
                conduct=_version(options["conduct"]),
            )
            project = services.create_project(new, by)
        except Problem as error:
            raise CommandError(str(error.detail)) from error
        self.stdout.write(project.full_name)


def _version(named: str | None) -> PolicyVersion:
    if named is None:
        return conduct.default()
    policy, _, number = named.partition("@")
    return conduct.version(policy, number)
