# SPDX-License-Identifier: Apache-2.0
"""When an intermediate's key may be in wrong hands: stop it at once, then revoke what it made.

The stop comes first and needs nothing but the signer. What follows can be repeated, and goes on
where it was interrupted.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from assay.signing.certificates import Purpose
from assay.signing.intermediates import Name
from assay.signing.revocation import Reason
from assay.signing.revocation import Revocation as Finding
from assay.signing.signer.administration import IssuerState
from assay.signing.signer.revocations import MAX_REVOCATIONS
from registry.accounts import queries as accounts
from registry.audit import services as audit
from registry.ledger import barring
from registry.ledger import services as ledger
from registry.wakeups import nudge

from . import issuing, revocations
from .errors import NoCertificate, NoRevocation
from .models import Certificate, Revocation

BATCH_LEAVES = 500  # one list for each: revocations, statements and list are one transaction


def intermediate(name: Name) -> IssuerState:
    """An intermediate as the signer has it; raises NoCertificate."""
    for each in ledger.signer().issuers():
        if each.name == name:
            return each
    raise NoCertificate(f"expected the name of an intermediate, found {name} (authority show)")


def current(purpose: Purpose) -> Name:
    """The intermediate that issues for a purpose; raises NoCertificate if there is none yet."""
    for each in ledger.signer().issuers():
        if each.name.purpose is purpose and each.is_current:
            return each.name
    raise NoCertificate(f"expected an intermediate for {purpose}, found none: nothing to stop")


def stop(name: Name) -> None:
    """Let it sign no more, from now on, whatever becomes of this process. Raises SignerError.

    When this returns, nothing more is recorded under what it certified, whoever holds the keys.
    """
    ledger.signer().stop(name)
    with transaction.atomic():
        barring.bar([intermediate(name).certificate])
        audit.record(accounts.SYSTEM, "authority.stop", str(name), {})
        nudge(revocations.DISTRIBUTE)


def finding_of(
    name: Name, *, at: datetime, since: datetime | None, reason: Reason = Reason.CA_COMPROMISE
) -> Finding:
    """What the root's list is to say of it; raises NoRevocation for a date that is to come."""
    if since is not None and since > at:
        raise NoRevocation(f"expected a time before {at:%Y-%m-%dT%H:%M:%SZ}, found a later one")
    serial = intermediate(name).certificate.serial_number
    return Finding(serial=serial, revoked_at=at, reason=reason, invalid_from=since)


def revoke_leaves(name: Name, *, since: datetime) -> tuple[int, int]:
    """Revoke all that it issued; how many were, and how many its list has no room for.

    The newest come first. What a list cannot hold fails all the same: its issuer is revoked.
    """
    revoked = 0
    issuing.ensure_office(revocations.OFFICE)
    issuing.list_all()
    while batch := _unrevoked(name):
        with transaction.atomic():
            for certificate in batch:
                revocations.add(certificate, Reason.KEY_COMPROMISE, invalid_from=since)
            revocations.renew(name)
            details = {"certificates": len(batch)}
            audit.record(accounts.SYSTEM, "authority.compromise", str(name), details)
            nudge("ledger.integrate")
            nudge(revocations.DISTRIBUTE)
        revoked += len(batch)
    return revoked, _of(name).count() - _listed(name)


def _unrevoked(name: Name) -> list[Certificate]:
    room = min(BATCH_LEAVES, MAX_REVOCATIONS - _listed(name))
    done = Revocation.objects.filter(certificate__issuer=str(name)).values("certificate")
    return list(_of(name).exclude(pk__in=done).order_by("-issued_at", "-pk")[:room])


def _listed(name: Name) -> int:
    return Revocation.objects.filter(certificate__issuer=str(name)).count()


def _of(name: Name) -> QuerySet[Certificate]:
    return Certificate.objects.filter(issuer=str(name))
