# SPDX-License-Identifier: Apache-2.0
"""`manage.py dataset add`: a folder's text files (or Python's own library) as a signed data set."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from assay.signing.digests import as_id
from assay.signing.errors import AssayError
from registry.accounts import queries as accounts
from registry.api.problems import Problem

from ... import queries, services
from ...services import Origin


class Command(BaseCommand):
    help = "Adds a data set: stores a folder's text files, signs and logs their manifest."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        add = actions.add_parser("add", help="add a folder; the same files again change nothing")
        add.add_argument(
            "folder", nargs="?", type=Path, help="default: the standard library of this Python"
        )
        add.add_argument("--owner", required=True, help="a person's or organisation's name")
        add.add_argument("--name", required=True)
        add.add_argument("--title", help="with a folder: what people read")
        add.add_argument("--source", help="with a folder: where the texts come from")
        add.add_argument("--license", help="with a folder: an SPDX expression")

    def handle(self, *_args: object, **options: object) -> None:
        owner = accounts.namespace(str(options["owner"]))
        if owner is None:
            raise CommandError(f"expected somebody's name, found {options['owner']!r}")
        try:
            dataset = services.add_dataset(owner, str(options["name"]), _origin(options))
        except (AssayError, Problem, OSError) as error:
            raise CommandError(str(error)) from error
        manifest = queries.dataset_manifest(dataset)
        self.stdout.write(
            f"{dataset}  {as_id(dataset.sha256)}  "
            f"{len(manifest.files)} files, {manifest.size_bytes} bytes"
        )


def _origin(options: dict[str, object]) -> Origin:
    folder = options["folder"]
    if not isinstance(folder, Path):
        return services.standard_library()
    missing = [f"--{each}" for each in ("title", "source", "license") if not options[each]]
    if missing:
        raise CommandError(f"expected {', '.join(missing)} for the folder {folder}")
    return Origin(
        folder=folder,
        title=str(options["title"]),
        source=str(options["source"]),
        license=str(options["license"]),
    )
