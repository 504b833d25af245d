# SPDX-License-Identifier: Apache-2.0
"""`manage.py organisation create|add-member|remove-member`: who acts for a name together."""

from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from registry.accounts import queries, services
from registry.accounts.queries import Organisation, Role, User
from registry.api.problems import Problem


class Command(BaseCommand):
    help = "Makes an organisation, admits people to it and removes them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        create = verbs.add_parser("create", help="give an organisation a name")
        create.add_argument("name", help="2 to 39 characters a-z, 0-9 and single hyphens")
        create.add_argument("--by", required=True, help="the person who is its first owner")
        add = verbs.add_parser("add-member", help="admit a person, or change their role")
        remove = verbs.add_parser("remove-member", help="end a person's membership")
        for verb in (add, remove):
            verb.add_argument("name", help="the organisation")
            verb.add_argument("person", help="whom")
            verb.add_argument("--by", required=True, help="one of its owners")
        add.add_argument("--role", choices=Role.values, default=Role.MEMBER.value)

    def handle(self, *_args: object, **options: str) -> None:
        name, by = options["name"], _person(options["by"])
        try:
            match options["verb"]:
                case "create":
                    services.create_organisation(name, by)
                    self.stderr.write(f"{by} owns {name}")
                case "add-member":
                    person, role = _person(options["person"]), Role(options["role"])
                    services.add_member(_organisation(name), person, role, by=by)
                    self.stderr.write(f"{person} acts for {name}, as {role}")
                case "remove-member":
                    person = _person(options["person"])
                    services.remove_member(_organisation(name), person, by=by)
                    self.stderr.write(f"{person} does not act for {name}")
        except Problem as problem:
            raise CommandError(str(problem.detail)) from problem


def _person(name: str) -> User:
    user = queries.user(name)
    if user is None:
        raise CommandError(f"expected the name of a person, found {name!r}")
    return user


def _organisation(name: str) -> Organisation:
    organisation = queries.organisation(name)
    if organisation is None:
        raise CommandError(f"expected the name of an organisation, found {name!r}")
    return organisation
