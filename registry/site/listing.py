# SPDX-License-Identifier: Apache-2.0
"""Ledger entries as rows of a list: every one of them, also those that are no statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from registry.ledger.queries import Entry, Statement

from . import bodies
from .bodies import CertificateEntry, OtherEntry, Role, SignatureEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One entry; a statement has its own mark and words, and any other has them here."""

    index: int | None
    at: datetime
    statement: Statement | None = None
    mark: str = ""
    kind: str = ""
    names: str = ""
    """Whom the certificate in it names."""


def of_statement(statement: Statement) -> Row:
    """The row of a statement's entry."""
    return Row(index=statement.entry.index, at=statement.created_at, statement=statement)


def of_entry(entry: Entry) -> Row:
    """The row of any entry; those of `ledger.queries.between` have their statements with them."""
    if hasattr(entry, "statement"):
        return of_statement(entry.statement)
    match bodies.read(bytes(entry.body)):
        case CertificateEntry() as body:
            mark, kind, names = "certificate", _word(body.role), bodies.subject(body.certificate)
        case SignatureEntry() as body:
            mark, kind, names = "signature", _("signature"), bodies.subject(body.certificate)
        case OtherEntry():
            mark, kind, names = "entry", _("unknown"), ""
    return Row(index=entry.index, at=entry.created_at, mark=mark, kind=kind, names=names)


def _word(role: Role) -> str:
    match role:
        case Role.ROOT:
            return _("root certificate")
        case Role.INTERMEDIATE:
            return _("authority's certificate")
        case Role.ANNOUNCED:
            return _("certificate")
