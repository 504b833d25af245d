# SPDX-License-Identifier: Apache-2.0
"""`authority ceremony|request|init`: the key ceremony, here or with a root elsewhere."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from assay.signing import durable
from assay.signing.digests import as_id
from registry.authority import ceremony, queries, steps
from registry.authority.ceremony import Names

from .words import Action, Options, add_means, means, path


def _add_init(parser: ArgumentParser) -> None:
    add_means(parser)
    parser.add_argument(
        "--from",
        dest="answers",
        type=Path,
        metavar="FOLDER",
        help="what came back from the root's own machine to `authority request`",
    )


def _init(options: Options) -> Iterator[str]:
    folder = queries.folder()
    trust_root = ceremony.init(
        folder, _names(), means(options), at=timezone.now(), answers=path(options, "answers")
    )
    offline = folder / ceremony.OFFLINE_FOLDER
    yield f"registry      {trust_root.registry}"
    yield f"ledger        {trust_root.origin}"
    yield f"fingerprint   {as_id(trust_root.fingerprint)}"
    if (offline / ceremony.ROOT_KEY_FILE).exists():
        yield f"\nThe root key and its passphrase are in\n    {offline}"
        yield "Nothing here needs them again until an intermediate expires: move each to a"
        yield "medium of its own, offline, and delete the folder."


def _add_request(parser: ArgumentParser) -> None:
    add_means(parser)
    parser.add_argument("--to", type=Path, required=True, metavar="FOLDER")


def _request(options: Options) -> Iterator[str]:
    to = path(options, "to") or Path()
    made = ceremony.request(queries.folder(), means(options))
    to.mkdir(parents=True, exist_ok=True)
    for name, pem in made.items():
        durable.write_file(to / name, pem)
        yield f"wrote {to / name}"


def _add_ceremony(parser: ArgumentParser) -> None:
    del parser


def _ceremony(options: Options) -> Iterator[str]:
    del options
    yield from steps.ceremony(_names())


def _names() -> Names:
    return Names(registry_url=settings.PUBLIC_URL, origin=settings.LEDGER_ORIGIN)


CEREMONY = Action(
    help="say what to do for a root on a machine without a network",
    add=_add_ceremony,
    run=_ceremony,
)
REQUEST = Action(
    help="make this registry's keys, and requests for such a root",
    add=_add_request,
    run=_request,
)
INIT = Action(help="hold the key ceremony unless it was held", add=_add_init, run=_init)
