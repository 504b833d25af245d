# SPDX-License-Identifier: Apache-2.0
"""Revoking certificates, and the lists that say so: kept current, and signed by the signer.

A revocation, its statement in the ledger and the list that names it are one transaction: whoever
sees the one sees the others.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from assay.signing import crls
from assay.signing.certificates import Purpose
from assay.signing.digests import sha256
from assay.signing.errors import InvalidDocument, SignerError
from assay.signing.intermediates import Name
from assay.signing.revocation import Reason
from assay.signing.revocation import Revocation as Finding
from assay.signing.statements import Claim, RevocationClaim
from registry.accounts import queries as accounts
from registry.audit import services as audit
from registry.ledger import barring
from registry.ledger import queries as ledger_queries
from registry.ledger import services as ledger
from registry.prepared import Among, Prepared
from registry.wakeups import nudge

from . import issuing
from .errors import AlreadyRevoked, NoCertificate, NoRevocation
from .models import Certificate, Revocation, RevocationList

logger = logging.getLogger(__name__)

LISTS_LOCK = 0x6173736179_05  # one list of an issuer after the other
OFFICE = "authority"
RENEWED_BEFORE = timedelta(days=4)  # of the seven that a list is for (signer/keystore)
DISTRIBUTE = "sigstore.distribute"  # trusted roots say until when whom to believe
ROOT_RENEWED_BEFORE = timedelta(days=31)  # of a quarter: bringing the root takes its time
_LISTS = Prepared(
    lambda issuers: RevocationList.objects.filter(
        Q(Among(F("issuer"), issuers)) | Q(issuer__startswith=f"{Purpose.TIMESTAMP}-")
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A revocation, for those whom others tell of it."""

    id: int
    subject: str
    serial: str
    certificate: bytes
    reason: str
    at: datetime
    invalid_from: datetime | None


def revoke(
    serial: str, reason: Reason, *, invalid_from: datetime | None = None
) -> ledger_queries.Statement:
    """Revoke one certificate now, for ever; the statement about it, pending in the ledger.

    Raises NoCertificate, AlreadyRevoked, NoRevocation for a date that cannot be, or SignerError.
    """
    issuing.ensure_office(OFFICE)
    issuing.listed(serial)
    with transaction.atomic():
        statements = revoke_all([serial], reason, invalid_from=invalid_from)
        journal(statements, reason)
    return statements[serial]


def revoke_all(
    serials: Collection[str], reason: Reason, *, invalid_from: datetime | None = None
) -> Mapping[str, ledger_queries.Statement]:
    """The same of several in the caller's transaction, who calls `journal` when all else is done.

    The office has to be certified before it begins.
    """
    statements, issuers = {}, set[str]()
    for serial in sorted(serials):
        certificate = Certificate.objects.select_for_update().filter(serial=serial).first()
        if certificate is None:
            raise NoCertificate(f"expected a certificate of serial number {serial}, found none")
        if Revocation.objects.filter(certificate=certificate).exists():
            raise AlreadyRevoked(f"expected a certificate that is not revoked, found {serial}")
        statements[serial] = add(certificate, reason, invalid_from=invalid_from)
        issuers.add(certificate.issuer)
    for issuer in sorted(issuers):
        renew(Name.parse(issuer))
    return statements


def journal(statements: Mapping[str, ledger_queries.Statement], reason: Reason) -> None:
    """The audit's rows of what was revoked, for whose lock nothing else may wait any more."""
    for serial, statement in statements.items():
        details = {"reason": reason.value, "statement": statement.sha256}
        audit.record(accounts.SYSTEM, "certificate.revoke", serial, details)
    nudge("ledger.integrate")
    nudge(DISTRIBUTE)


def add(
    certificate: Certificate, reason: Reason, *, invalid_from: datetime | None
) -> ledger_queries.Statement:
    """The statement and the row of a revocation, in a transaction that also renews the list."""
    barring.hold()
    claim = _claim(certificate, reason, timezone.now().replace(microsecond=0), invalid_from)
    # The statement first: where the certificate is the office's own, this is the last it signs.
    statement = log(claim)
    barring.bar([_parsed(certificate)])
    Revocation.objects.create(
        certificate=certificate,
        reason=reason.value,
        revoked_at=claim.revocation.revoked_at,
        invalid_from=claim.revocation.invalid_from,
        statement=statement,
    )
    return statement


def current(issuer: Name) -> RevocationList:
    """The list of an intermediate, made on first use; raises SignerError."""
    found = RevocationList.objects.filter(issuer=str(issuer)).first()
    if found is None:
        with transaction.atomic():
            found = renew(issuer)
    return found


def stapled(issuers: Iterable[Name]) -> tuple[bytes, ...]:
    """The newest lists of the root and of some issuers, for whoever verifies without asking us.

    Those of every later timestamp authority come with them: a token does not say which it is by.
    One that was never made is left out while the signer is away: what is there can be shown, and a
    verifier who misses a list says so.
    """
    wanted = (crls.ROOT, *sorted({str(each) for each in issuers}))
    rows = {row.issuer: row for row in _LISTS.all(issuers=list(wanted))}
    others = sorted(rows.keys() - set(wanted))
    found = [rows.get(each) or _made(each) for each in (*wanted, *others)]
    return tuple(bytes(row.der) for row in found if row is not None)


def names() -> tuple[Name, ...]:
    """Every intermediate that there is; while the signer is away, those that have a list."""
    try:
        return tuple(each.name for each in ledger.signer().issuers())
    except SignerError:
        rows = RevocationList.objects.exclude(issuer=crls.ROOT).order_by("issuer")
        return tuple(Name.parse(row.issuer) for row in rows)


def _made(issuer: str) -> RevocationList | None:
    try:
        return keep_root() if issuer == crls.ROOT else current(Name.parse(issuer))
    except SignerError as error:
        logger.warning("there is no revocation list of %s yet: %s", issuer, error)
        return None


def keep_root() -> RevocationList:
    """The list that an operator last had the root sign, which the signer reads out."""
    return _show(crls.ROOT, ledger.signer().root_crl())


def root_is_due(*, now: datetime) -> bool:
    """Whether the root's list ends so soon that its keeper should make the next one."""
    return keep_root().next_update < now + ROOT_RENEWED_BEFORE


def finding(issuer: Name, serial: int) -> tuple[bool, Finding | None]:
    """Whether a certificate was issued, and its revocation if it was revoked."""
    found = issuing.listed(f"{serial:x}")
    if found is not None and found.issuer != str(issuer):
        found = None
    row = Revocation.objects.filter(certificate=found).first() if found else None
    return found is not None, _finding(row) if row else None


def live(subjects: Collection[str]) -> tuple[str, ...]:
    """The serial numbers of what was issued to these URIs, has not ended and is not revoked."""
    revoked = Revocation.objects.values("certificate")
    rows = Certificate.objects.filter(subject__in=subjects, expires_at__gt=timezone.now())
    return tuple(rows.exclude(pk__in=revoked).order_by("pk").values_list("serial", flat=True))


def after(last_id: int) -> Made | None:
    """The first revocation after the one with that number; they are numbered as they commit."""
    rows = Revocation.objects.select_related("certificate").filter(pk__gt=last_id).order_by("pk")
    row = rows.first()
    if row is None:
        return None
    return Made(
        id=row.pk,
        subject=row.certificate.subject,
        serial=row.certificate.serial,
        certificate=_parsed(row.certificate).public_bytes(Encoding.DER),
        reason=row.reason,
        at=row.revoked_at,
        invalid_from=row.invalid_from,
    )


def is_revoked(serial: int) -> bool:
    """Whether a certificate of ours was revoked: its holder gets another for the asking."""
    return Revocation.objects.filter(certificate__serial=f"{serial:x}").exists()


def among(serials: Collection[int]) -> Mapping[int, Finding]:
    """Those of these certificates that were revoked, by serial number."""
    rows = Revocation.objects.select_related("certificate").filter(
        certificate__serial__in=[f"{serial:x}" for serial in serials]
    )
    return {found.serial: found for found in map(_finding, rows)}


def sweep(*, now: datetime) -> None:
    """Renew every list that is due, each in a transaction of its own; look for the root's.

    What was stopped without us, or while we crashed, is barred.

    What has expired lists nothing any more: nothing that it issued is valid either.
    """
    states = ledger.signer().issuers()
    with transaction.atomic():  # of those that were stopped by nobody who could say so here
        barring.bar(each.certificate for each in states if each.is_stopped)
    for issuer in states:
        is_valid = now < issuer.certificate.not_valid_after_utc
        if is_valid and not _is_current(issuer.name, now):
            with transaction.atomic():
                renew(issuer.name)
    if (root := _made(crls.ROOT)) is not None and root.next_update < now + ROOT_RENEWED_BEFORE:
        logger.warning(
            "the root's revocation list ends on %s, and then nothing verifies: "
            "renew it with `authority root-list`",
            f"{root.next_update:%Y-%m-%d}",
        )


def _is_current(issuer: Name, now: datetime) -> bool:
    enough = now + RENEWED_BEFORE
    return RevocationList.objects.filter(issuer=str(issuer), next_update__gt=enough).exists()


def _claim(
    certificate: Certificate, reason: Reason, at: datetime, invalid_from: datetime | None
) -> RevocationClaim:
    since = None if invalid_from is None else invalid_from.replace(microsecond=0)
    serial = int(certificate.serial, 16)
    try:
        finding = Finding(serial=serial, revoked_at=at, reason=reason, invalid_from=since)
    except InvalidDocument as error:
        raise NoRevocation(str(error)) from error
    return RevocationClaim(
        certificate_sha256=sha256(_parsed(certificate).public_bytes(Encoding.DER)),
        issuer=certificate.issuer,
        revocation=finding,
    )


def _parsed(certificate: Certificate) -> x509.Certificate:
    return x509.load_pem_x509_certificate(certificate.pem.encode())


def log(claim: Claim) -> ledger_queries.Statement:
    """Have what the authority says signed, and record it; raises SignerError."""
    client = ledger.signer()
    subject = f"{client.describe().trust_root.registry}/{OFFICE}"
    signed = client.sign(Purpose.CONDUCT, subject, claim.statement().canonical())
    return ledger.record(signed.envelope, signed.chain, signed.timestamp)


def renew(issuer: Name) -> RevocationList:
    """Have the list of all that this issuer has revoked signed, and show it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LISTS_LOCK])
    rows = Revocation.objects.filter(certificate__issuer=str(issuer))
    findings = [_finding(row) for row in rows.select_related("certificate")]
    return _show(str(issuer), ledger.signer().sign_crl(issuer, findings))


def _show(issuer: str, der: bytes) -> RevocationList:
    parsed = x509.load_der_x509_crl(der)
    found, _ = RevocationList.objects.update_or_create(
        issuer=issuer,
        defaults={
            "der": der,
            "this_update": parsed.last_update_utc,
            # One without an end is due at once; the signer makes none.
            "next_update": parsed.next_update_utc or parsed.last_update_utc,
        },
    )
    return found


def _finding(row: Revocation) -> Finding:
    return Finding(
        serial=int(row.certificate.serial, 16),
        revoked_at=row.revoked_at,
        reason=Reason(row.reason),
        invalid_from=row.invalid_from,
    )
