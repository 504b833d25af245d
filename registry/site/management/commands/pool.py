# SPDX-License-Identifier: Apache-2.0
"""`manage.py pool open`: opens a run on a data set, as the demonstration's own was opened."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from assay.signing import canonical
from assay.signing.canonical import Obj, as_mapping
from assay.signing.errors import InvalidDocument
from registry.accounts import queries as accounts
from registry.api.problems import Problem
from registry.catalog import queries as catalog
from registry.catalog.queries import Dataset
from registry.pool import services as pool
from registry.pool.splitting import share_of
from registry.site import demo


class Command(BaseCommand):
    help = "Opens a run, which the next node that has nothing to do trains."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        opened = actions.add_parser("open", help="open a run of a project")
        opened.add_argument("project", metavar="OWNER/NAME")
        opened.add_argument("--dataset", metavar="OWNER/NAME", required=True)
        opened.add_argument("--by", required=True, help="a person who acts for the owner")
        recipe = "a recipe in JSON; else the demonstration's, with files held out as they allow"
        opened.add_argument("--recipe", metavar="FILE", type=Path, help=recipe)

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 - argparse's
        by = accounts.user(options["by"])
        if by is None:
            raise CommandError(f"expected the name of a person, found {options['by']!r}")
        try:
            owner, _, name = options["project"].partition("/")
            project = catalog.project(owner, name, by)
            dataset = _dataset(options["dataset"])
            run = pool.create_run(project, _recipe(options["recipe"], dataset), dataset, by)
        except Problem as error:
            raise CommandError(str(error.detail)) from error
        except (InvalidDocument, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(run.path)


def _dataset(named: str) -> Dataset:
    owner_name, _, name = named.partition("/")
    owner = accounts.namespace(owner_name)
    found = None if owner is None else catalog.dataset(owner, name)
    if found is None:
        raise CommandError(f"expected the name of a data set (dataset add), found {named!r}")
    return found


def _recipe(path: Path | None, dataset: Dataset) -> Obj:
    """What a file says; or what `assay-train train` trains where nobody says what."""
    if path is not None:
        return as_mapping(canonical.loads(path.read_bytes()), path.name)
    one_in = share_of(catalog.dataset_manifest(dataset))
    if one_in is None:
        message = "expected two files or more, one of which can be held out; cut a large one up"
        raise CommandError(f"{message}, or write a recipe")
    return {**demo.recipe(), "data": {"validation_one_in": one_in}}
