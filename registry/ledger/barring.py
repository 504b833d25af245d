# SPDX-License-Identifier: Apache-2.0
"""Certificates under which nothing more is recorded: revoked ones, and stopped intermediates.

Who revokes bars, in the transaction of the revocation; who records checks, in the transaction of
the entry. A lock that recorders share and revokers take alone orders the two: an entry is committed
before the revocation is, or refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from cryptography import x509
from django.db import connection, transaction
from django.db.models import F

from registry.prepared import Among, Prepared

from .errors import CertificateBarred
from .models import Barred

STANDING_LOCK = 0x6173736179_0A  # taken before settings.JOURNAL_LOCK and the lists', never after

_BARRED = Prepared(
    lambda serials: Barred.objects.filter(Among(F("serial"), serials)).values_list(
        "serial", flat=True
    )
)


def hold() -> None:
    """Let nobody else record until the caller's transaction ends; whoever was at it has ended.

    First of all, where what is recorded belongs to the revocation: two who share the lock and then
    each want it alone wait for each other for ever.
    """
    _take("pg_advisory_xact_lock")


def bar(certificates: Iterable[x509.Certificate]) -> None:
    """Let nothing more be recorded under these, for ever; in the caller's transaction."""
    wanted = {_hexadecimal(each) for each in certificates}
    missing = wanted - _known(wanted)
    if missing:
        hold()
        rows = [Barred(serial=serial) for serial in sorted(missing)]
        Barred.objects.bulk_create(rows, ignore_conflicts=True)


def check(certificates: Collection[x509.Certificate]) -> None:
    """Raise CertificateBarred if one is barred; none will be until the transaction ends."""
    _take("pg_advisory_xact_lock_shared")
    found = barred(certificates)
    if found:
        raise CertificateBarred(
            f"expected certificates that are not revoked, found {', '.join(sorted(found))}"
        )


def barred(certificates: Iterable[x509.Certificate]) -> set[str]:
    """The serial numbers (hexadecimal) of those that are barred by now."""
    return _known({_hexadecimal(each) for each in certificates})


def since(certificates: Iterable[x509.Certificate]) -> dict[int, datetime]:
    """When those of these were barred that are, by serial number."""
    serials = {_hexadecimal(each) for each in certificates}
    rows = Barred.objects.filter(serial__in=serials)
    return {int(row.serial, 16): row.created_at for row in rows}


def _known(serials: Collection[str]) -> set[str]:
    return set(_BARRED.all(serials=list(serials)))


def _take(lock: str) -> None:
    """One of PostgreSQL's two functions, whose names are constants of ours."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            "whether a certificate is barred is asked in the transaction that relies on it"
        )
    with connection.cursor() as cursor:
        # A statement of its own: what is read next must be read after the wait.
        cursor.execute(f"SELECT {lock}(%s)", [STANDING_LOCK])


def _hexadecimal(certificate: x509.Certificate) -> str:
    return f"{certificate.serial_number:x}"
