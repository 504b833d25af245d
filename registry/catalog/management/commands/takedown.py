# SPDX-License-Identifier: Apache-2.0
"""`manage.py takedown OWNER/PROJECT[@CHECKPOINT]`: served no more, and its page says why."""

from __future__ import annotations

import sys
from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from assay.signing.errors import SignerError
from registry.accounts.queries import SYSTEM
from registry.api.problems import Problem
from registry.ledger import services as ledger

from ... import queries, services
from ...queries import Checkpoint, Project
from ...services import takedowns
from ...services.takedowns import Order

MAX_SHOWN = 50


class Command(BaseCommand):
    help = "Takes a project or a checkpoint down. It cannot be undone; what was signed stays."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", metavar="OWNER/PROJECT[@CHECKPOINT]")
        parser.add_argument("--reason", required=True, help="everybody reads it on the page")
        parser.add_argument(
            "--everywhere",
            action="store_true",
            help="take down every other checkpoint that has the same weights, too",
        )
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *_args: object, **options: object) -> None:
        what, is_everywhere = str(options["what"]), bool(options["everywhere"])
        try:
            reason = str(options["reason"]).strip()
            order = Order(reason=reason, by=SYSTEM, is_everywhere=is_everywhere)
            project, checkpoint = _found(what)
            self._say(what, project, checkpoint, order)
            if not options["yes"]:
                _confirm(what)
            if checkpoint is not None:
                takedowns.take_down_checkpoint(checkpoint, order)
            else:
                takedowns.take_down_project(project, order)
        except Problem as problem:
            raise CommandError(str(problem.detail)) from problem
        self.stderr.write(f"{what} was taken down")
        self._state()

    def _state(self) -> None:
        """In the ledger, too, if the signer is there; what is left is the sweep's."""
        try:
            services.state()
            ledger.integrate()
        except (SignerError, Problem) as error:
            self.stderr.write(f"the ledger will have it later: {error}")

    def _say(
        self, what: str, project: Project, checkpoint: Checkpoint | None, order: Order
    ) -> None:
        """What else has the same bytes: they are served for as long as one of those stands."""
        others = takedowns.elsewhere(project, checkpoint)
        count = others.count()
        if not count:
            self.stderr.write(f"Nothing else has the weights of {what}.")
            return
        fate = "go with it" if order.is_everywhere else "keep them up (--everywhere takes all down)"
        self.stderr.write(f"The weights of {what} are in these, too, which {fate}:")
        for each in others[:MAX_SHOWN]:
            self.stderr.write(f"  {each.full_name}")
        if count > MAX_SHOWN:
            self.stderr.write(f"  and {count - MAX_SHOWN} more")


def _found(what: str) -> tuple[Project, Checkpoint | None]:
    path, _, name = what.partition("@")
    owner, _, project = path.partition("/")
    found = queries.any_project(owner, project)
    return found, queries.any_checkpoint(owner, project, name) if name else None


def _confirm(what: str) -> None:
    """Its name, typed; whoever is not at a terminal says --yes."""
    if not sys.stdin.isatty():
        raise CommandError("expected --yes, where nobody is at a terminal to be asked")
    if input(f"It cannot be undone. Type {what} to take it down: ").strip() != what:
        raise CommandError(f"expected {what}, found something else; nothing was taken down")
