# SPDX-License-Identifier: Apache-2.0
"""`manage.py token issue|revoke`: tokens from the operator's terminal."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from registry.accounts import queries, services
from registry.api.problems import Problem


class Command(BaseCommand):
    help = "Issues a token (its secret is printed once) or revokes one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        issue = verbs.add_parser("issue", help="print a new token's secret")
        issue.add_argument("user", help="whose token it is")
        issue.add_argument("--label", default="command line", help="what it is for")
        issue.add_argument("--scope", action="append", required=True, choices=queries.Scope.values)
        issue.add_argument(
            "--project",
            action="append",
            default=[],
            metavar="OWNER/NAME",
            help="sign outputs of this project's checkpoints, and nothing else (with --scope "
            "outputs alone; more than one may be given)",
        )
        issue.add_argument("--days", type=int, default=30, help="how long it is valid (30)")
        revoke = verbs.add_parser("revoke", help="make a token open nothing any more")
        revoke.add_argument("id", type=int, help="the number that `issue` printed")

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401 - argparse's
        try:
            if options["verb"] == "issue":
                self._issue(options)
            else:
                self._revoke(options["id"])
        except Problem as problem:
            raise CommandError(str(problem.detail)) from problem

    def _issue(self, options: dict[str, Any]) -> None:
        user = queries.user(options["user"])
        if user is None:
            raise CommandError(f"expected the name of a person, found {options['user']!r}")
        expires_at = timezone.now() + timedelta(days=options["days"])
        token, secret = services.issue_token(
            user, options["label"], options["scope"], expires_at, projects=options["project"]
        )
        self.stderr.write(f"token {token.pk}, until {expires_at:%Y-%m-%d %H:%M} UTC:")
        self.stdout.write(secret)

    def _revoke(self, token_id: int) -> None:
        token = queries.token(token_id)
        if token is None:
            raise CommandError(f"expected the number of a token, found {token_id}")
        services.revoke_token(token, by=queries.SYSTEM)
        self.stderr.write(f"token {token_id} opens nothing any more")
