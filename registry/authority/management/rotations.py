# SPDX-License-Identifier: Apache-2.0
"""`authority show|rotate|root-list`: intermediates, and the root's list of those it revoked."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from django.core.management.base import CommandError
from django.utils import timezone

from assay.signing import crls, durable
from assay.signing.certificates import Purpose
from assay.signing.errors import SignerError
from assay.signing.signer.errors import PurposeStopped
from registry.authority import ceremony, revocations, rotating
from registry.ledger import services as ledger

from .words import Action, Options, add_root, content, path, root


def _add_show(parser: ArgumentParser) -> None:
    del parser


def _show(options: Options) -> Iterator[str]:
    del options
    client = ledger.signer()
    states = client.issuers()
    for each in states:
        state = "stopped" if each.is_stopped else "issues" if each.is_current else "replaced"
        until = each.certificate.not_valid_after_utc
        serial = f"{each.certificate.serial_number:x}"
        yield f"{each.name!s:<14} {state:<9} until {until:%Y-%m-%d}  {serial}"
    for purpose in Purpose:
        if all(each.name.purpose is not purpose for each in states):
            yield f"{purpose!s:<14} missing   authority rotate {purpose} makes it"
    listed = x509.load_der_x509_crl(client.root_crl())
    until_text = f"{listed.next_update_utc:%Y-%m-%d}"
    yield f"root's list    number {crls.number_of(listed)} until {until_text}"


def _add_rotate(parser: ArgumentParser) -> None:
    parser.add_argument("purpose", choices=[each.value for each in Purpose])
    add_root(parser)
    parser.add_argument("--request", type=Path, metavar="FILE", help="write a request for the root")
    parser.add_argument("--certificate", type=Path, metavar="FILE", help="take its answer in")


def _rotate(options: Options) -> Iterator[str]:
    """With the root at hand at once; else in two steps, around the root's own machine."""
    purpose, at_hand = Purpose(str(options["purpose"])), root(options)
    request, certificate = path(options, "request"), path(options, "certificate")
    given = [each for each in (at_hand, request, certificate) if each is not None]
    if len(given) != 1:
        raise CommandError("expected one of --root, --request and --certificate")
    if request is not None:
        if request.parent.exists() and not request.parent.is_dir():
            raise CommandError(f"expected a folder for {request}, found a file in its place")
        made = ceremony.pem_of(rotating.request(purpose))
        request.parent.mkdir(parents=True, exist_ok=True)
        durable.write_file(request, made)
        yield f"wrote {request}: the root's machine answers it (authority ceremony, step 5)"
        return
    if at_hand is not None:
        name = rotating.rotate(purpose, at_hand, at=timezone.now().replace(microsecond=0))
    else:
        name = rotating.install(_certificate(certificate or Path()))
    yield f"{name} issues from now on"


def _certificate(file: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(content(file))
    except ValueError as error:
        raise CommandError(f"expected a certificate in PEM in {file}, found none") from error


def listing(crl: bytes) -> Iterator[str]:
    """Show a newer list of the root's; what it revokes is logged now, or once that can be."""
    try:
        for name in rotating.install_root_list(crl):
            yield f"{name} is revoked, stopped and logged"
    except SignerError as error:
        if error.reason != PurposeStopped.code:
            raise
        yield f"{error}"
        yield "What the root revoked is stopped, and is logged by the next authority root-list"


def _add_root_list(parser: ArgumentParser) -> None:
    add_root(parser)
    parser.add_argument("--crl", type=Path, metavar="FILE", help="one made on the root's machine")
    parser.add_argument(
        "--if-due", action="store_true", help="only if the list at hand ends within a month"
    )


def _root_list(options: Options) -> Iterator[str]:
    at_hand, file = root(options), path(options, "crl")
    if (at_hand is None) == (file is None):
        raise CommandError("expected one of --root and --crl")
    if options["if_due"] and not revocations.root_is_due(now=timezone.now()):
        yield "the root's list is not due"
        return
    if at_hand is not None:
        crl = at_hand.next_list((), at=timezone.now().replace(microsecond=0))
    else:
        crl = content(file or Path())
    yield from listing(crl)
    listed = x509.load_der_x509_crl(crl)
    yield f"the root's list has number {crls.number_of(listed)}"


SHOW = Action(help="list the intermediates and their states", add=_add_show, run=_show)
ROTATE = Action(help="put another intermediate in its place", add=_add_rotate, run=_rotate)
ROOT_LIST = Action(
    help="renew the root's revocation list, or take one in", add=_add_root_list, run=_root_list
)
