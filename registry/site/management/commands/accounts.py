# SPDX-License-Identifier: Apache-2.0
"""`manage.py accounts erase NAME`: a person leaves, and nothing here says any more who signed.

`accounts quota NAME`: what is stored in a name, and how much may be.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from assay.signing.errors import SignerError
from registry.accounts import queries, services
from registry.api.problems import Problem
from registry.env import size_of
from registry.site import erasing


class Command(BaseCommand):
    help = "Says and sets how much a name may store, or erases a person, which cannot be undone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        erase = verbs.add_parser("erase", help="let nothing here name this person any more")
        erase.add_argument("name", help="the person, or the last part of their pseudonym")

        quota = verbs.add_parser("quota", help="say, or set, how much may be stored in a name")
        quota.add_argument("name", help="a person's or an organisation's")
        given = quota.add_mutually_exclusive_group()
        given.add_argument("--bytes", dest="allowed", help="so much from now on: 500M, 20G, 2T")
        given.add_argument("--default", action="store_true", help="as much as anybody again")

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 - argparse's
        if options["verb"] == "quota":
            self._quota(options["name"], options["allowed"], is_default=options["default"])
        else:
            self._erase(options["name"])

    def _quota(self, name: str, allowed: str | None, *, is_default: bool) -> None:
        namespace = queries.namespace(name)
        if namespace is None or not queries.has_actor(namespace):
            raise CommandError(f"expected the name of a person or organisation, found {name!r}")
        if allowed is not None and size_of(allowed) is None:
            raise CommandError(f"expected a number of bytes like 500M or 20G, found {allowed!r}")
        if allowed is not None or is_default:
            services.allow_storage(namespace, size_of(allowed or ""))
        use = queries.use(namespace)
        self.stdout.write(f"{name}: {use.used_bytes} of {use.allowed_bytes} bytes")

    def _erase(self, name: str) -> None:
        try:
            erased = erasing.erase(name)
        except (Problem, SignerError) as error:
            raise CommandError(str(getattr(error, "detail", error))) from error
        self.stderr.write(
            f"erased: {erased.certificates} certificates revoked, the words of {erased.statements} "
            f"statements and of {erased.audit_rows} audit rows removed; what is left is called "
            f"{erased.stub}. Backups from before still name who was behind "
            f"{erased.pseudonym or 'it'} (docs/guides/operator.md)"
        )
