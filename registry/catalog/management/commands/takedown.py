# SPDX-License-Identifier: Apache-2.0
"""`manage.py takedown OWNER/PROJECT[@CHECKPOINT]`: served no more, and its page says why."""

from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from registry.accounts.queries import SYSTEM
from registry.api.problems import Problem
from registry.catalog import queries, takedowns


class Command(BaseCommand):
    help = "Takes a project or a checkpoint down. It cannot be undone; what was signed stays."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", metavar="OWNER/PROJECT[@CHECKPOINT]")
        parser.add_argument("--reason", required=True, help="everybody reads it on the page")

    def handle(self, *_args: object, **options: str) -> None:
        path, _, name = options["what"].partition("@")
        owner, _, project = path.partition("/")
        try:
            if name:
                checkpoint = queries.any_checkpoint(owner, project, name)
                takedowns.take_down_checkpoint(checkpoint, options["reason"], by=SYSTEM)
            else:
                found = queries.any_project(owner, project)
                takedowns.take_down_project(found, options["reason"], by=SYSTEM)
        except Problem as problem:
            raise CommandError(str(problem.detail)) from problem
        self.stderr.write(f"{options['what']} was taken down")
