# SPDX-License-Identifier: Apache-2.0
"""`authority revoke|revoke-intermediate|compromise`: taking certificates back, for ever."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

from django.core.management.base import CommandError
from django.utils import timezone

from assay.signing.certificates import Purpose
from assay.signing.digests import as_id
from assay.signing.errors import SignerError
from assay.signing.intermediates import Name
from assay.signing.revocation import Reason
from assay.signing.signer.errors import PurposeStopped
from registry.authority import compromise, revocations, rotating

from .rotations import listing
from .words import (
    Action,
    Options,
    a_serial,
    a_time,
    add_root,
    an_intermediate,
    content,
    moment,
    path,
    root,
)

REASONS = [each.value for each in Reason]


def _add_revoke(parser: ArgumentParser) -> None:
    parser.add_argument("serial", type=a_serial, help="its serial number in hexadecimal")
    _add_why(parser)


def _add_why(parser: ArgumentParser) -> None:
    parser.add_argument("--reason", required=True, choices=REASONS)
    parser.add_argument(
        "--invalid-from",
        type=a_time,
        help="since when its key may be in wrong hands, such as 2026-11-20T09:30:00+00:00",
    )


def _revoke(options: Options) -> Iterator[str]:
    statement = revocations.revoke(
        str(options["serial"]),
        Reason(str(options["reason"])),
        invalid_from=moment(options, "invalid_from"),
    )
    yield f"revoked; statement {as_id(statement.sha256)}"


def _add_revoke_intermediate(parser: ArgumentParser) -> None:
    parser.add_argument("name", type=an_intermediate, help="such as output or output-2")
    _add_why(parser)
    add_root(parser)


def _revoke_intermediate(options: Options) -> Iterator[str]:
    name, at_hand = options["name"], root(options)
    if at_hand is None or not isinstance(name, Name):
        raise CommandError(
            "expected --root and --root-passphrase-file; a root elsewhere revokes there, and "
            "`authority root-list --crl FILE` takes its list in"
        )
    at = timezone.now().replace(microsecond=0)
    finding = compromise.finding_of(
        name, at=at, since=moment(options, "invalid_from"), reason=Reason(str(options["reason"]))
    )
    yield from listing(at_hand.next_list([finding], at=at))


def _add_compromise(parser: ArgumentParser) -> None:
    parser.add_argument("purpose", choices=[each.value for each in Purpose])
    parser.add_argument(
        "--since",
        type=a_time,
        required=True,
        help="since when the key may be in wrong hands, such as 2026-11-20T09:30:00+00:00",
    )
    parser.add_argument(
        "--issuer", type=an_intermediate, help="which intermediate (default: the one that issues)"
    )
    parser.add_argument("--crl", type=Path, metavar="FILE", help="the root's list that says so")
    add_root(parser)


def _compromise(options: Options) -> Iterator[str]:
    """1. the stop; 2. the root's list; 3. the leaves. Each can be repeated."""
    purpose, since = Purpose(str(options["purpose"])), moment(options, "since")
    given = options["issuer"]
    name = given if isinstance(given, Name) else compromise.current(purpose)
    if since is None or name.purpose is not purpose:
        raise CommandError(f"expected an intermediate for {purpose}, found {name}")
    at = timezone.now().replace(microsecond=0)
    finding = compromise.finding_of(name, at=at, since=since)
    compromise.stop(name)  # 1
    yield f"{name} is stopped: it signs no more"
    at_hand, file = root(options), path(options, "crl")
    crl = at_hand.next_list([finding], at=at) if at_hand else content(file) if file else None
    try:
        for each in rotating.install_root_list(crl) if crl else ():  # 2
            yield f"{each} is revoked by the root and logged"
        revoked, left = compromise.revoke_leaves(name, since=since)  # 3
    except SignerError as error:
        if error.reason != PurposeStopped.code:
            raise
        yield f"{error}"
        yield f"Revocations wait for it: rotate, then say this again with --issuer {name}"
        return
    yield f"{revoked} of its certificates are revoked, listed and logged"
    if left:
        yield f"{left} more than its list can hold fail with {name} alone"
    if crl is None:
        yield f"The root has not revoked {name} yet: see the operator's guide, Compromise"
    if name == compromise.current(purpose):
        yield f"Now: authority rotate {purpose} --root FOLDER"
        yield "      or, for a root on another machine, --request FILE, then --certificate FILE"


REVOKE = Action(help="take a certificate back, for ever", add=_add_revoke, run=_revoke)
REVOKE_INTERMEDIATE = Action(
    help="have the root revoke an intermediate, which stops it",
    add=_add_revoke_intermediate,
    run=_revoke_intermediate,
)
COMPROMISE = Action(
    help="stop an intermediate whose key may be in wrong hands, and revoke what it made",
    add=_add_compromise,
    run=_compromise,
)
