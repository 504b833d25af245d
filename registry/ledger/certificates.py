# SPDX-License-Identifier: Apache-2.0
"""Certificates through the ledger: announced, logged, and only then issued (docs/spec/ledger.md).

    precertify    the signer keeps what it announces; a crash here leaves that, which nobody uses
    record        its row and its pending entry are one transaction
    integrate     a signed tree head includes the entry
    certify       in one transaction with whoever allows it; the signer gives the same one again

Every step may be repeated, and rows are the truth: a crash at any line leaves a row that the next
call goes on with. Whether somebody may be certified is the caller's to say, at both ends.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from assay.signing import scts, timestamps
from assay.signing.certificates import Chain, Purpose
from assay.signing.digests import sha256
from assay.signing.intermediates import Name
from assay.signing.pseudonyms import PartyOpening
from assay.signing.signer.errors import BadRequest, NotCertified, PurposeStopped
from assay.signing.signer.protocol import (
    CertificateRequest,
    CertifyRequest,
    PrecertifyRequest,
    responder_of,
)

from . import queries, services
from .models import Precertificate

RENEWED_IN_LAST = 10  # a certificate is made again in the last tenth of its validity


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A certificate for a purpose and a subject (a URI), under a conduct policy or under none."""

    purpose: Purpose
    subject: str
    conduct_sha256: str | None = None
    salt: bytes | None = field(default=None, repr=False)
    """Where the subject is a person: of the pseudonym that the certificate names."""
    csr: bytes | None = None
    """A PKCS#10 request (DER) where the key is the subject's own."""
    check: Callable[[], None] = lambda: None
    """Raises unless it may be issued; asked before it is announced, and as it is issued."""
    keep: Callable[[Chain], None] = lambda _: None
    """Is told of the certificate, in the transaction that issues it."""

    @property
    def named(self) -> str:
        """The URI in the certificate, by which it is kept here."""
        if self.salt is None:
            return self.subject
        return PartyOpening(party=self.subject, salt=self.salt).pseudonym(settings.PUBLIC_URL)


def office(name: str) -> Wanted:
    """The registry's own, for its statements about conduct and revocations: no policy binds it."""
    return Wanted(purpose=Purpose.CONDUCT, subject=f"{settings.PUBLIC_URL}/{name}")


def timestamping() -> Wanted:
    """The timestamp authority's."""
    return Wanted(purpose=Purpose.TIMESTAMP, subject=timestamps.authority(settings.PUBLIC_URL))


def responder(issuer: Name) -> Wanted:
    """Of who answers OCSP for an intermediate."""
    return Wanted(purpose=issuer.purpose, subject=responder_of(issuer))


def ensure(wanted: Wanted) -> None:
    """See that the signer has such a certificate, and not for much longer than it takes to ask.

    The signer knows best: it has none that the ledger does not hold, nor any that was revoked or
    whose intermediate another took the place of. Call it outside any transaction, before the one
    in which something is signed. Raises whatever `check` does, SignerError, or a Problem of the
    ledger.
    """
    now = timezone.now()
    if not _is_there(wanted, now):
        issue(wanted)
    elif not _is_there(timestamping(), now):  # it was revoked, or its intermediate replaced
        issue(timestamping())


def ends_soon(certificate: x509.Certificate, now: datetime) -> bool:
    """That another is to take its place."""
    starts, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return now >= ends - (ends - starts) / RENEWED_IN_LAST


def issue(wanted: Wanted) -> Chain:
    """Issue a certificate now; call it as `ensure`.

    The timestamp authority's comes with it where it is due: nothing is signed without.
    """
    stamps = timestamping()
    needs_stamps = wanted.subject != stamps.subject and not _is_there(stamps, timezone.now())
    everything = (stamps, wanted) if needs_stamps else (wanted,)
    _record_authorities()
    for each in everything:
        _announce(each)
    with services.sequencer():  # until all are issued, no tree head goes beyond their proofs
        services.integrate()
        *_, chain = [_certify(each) for each in everything]
    return chain


def issue_own(wanted: Wanted) -> Chain:
    """Issue a certificate for a key of the subject's own (`wanted.csr`), whichever others are."""
    with transaction.atomic():
        wanted.check()
    announced = services.signer().precertify(_request(wanted))
    return complete(announced, check=wanted.check, keep=wanted.keep)


def complete(
    announced: bytes, *, check: Callable[[], None], keep: Callable[[Chain], None]
) -> Chain:
    """Issue what the signer announced, for a key that is not ours: it needs no row to go on from.

    Whoever asks has one of their own, so that two at the same moment never wait for, nor get, each
    other's. A crash leaves a precertificate in the ledger, which signs nothing.
    """
    _record_authorities()
    entry = services.log(scts.ledger_entry(announced))
    with services.sequencer():  # until it is issued, no tree head goes beyond its proof
        services.integrate()
        entry.refresh_from_db()
        request = _proved(sha256(announced), services.index_of(entry))
        with transaction.atomic():
            check()
            chain = services.signer().certify(request)
            keep(chain)
    return chain


def issued() -> QuerySet[Precertificate]:
    """Every certificate that was issued."""
    return Precertificate.objects.filter(leaf__isnull=False)


def find(serial: str) -> Precertificate | None:
    """The certificate of this serial number (hexadecimal), if it was issued."""
    return issued().filter(serial=serial).first()


def chain_of(row: Precertificate) -> Chain:
    """The certificate and its intermediate."""
    return Chain.parse((bytes(row.leaf or b""), bytes(row.intermediate or b"")))


def chains(wanted: Wanted) -> tuple[Chain, ...]:
    """Every certificate of this kind that was issued, the newest first; retired ones too."""
    rows = Precertificate.objects.filter(
        purpose=wanted.purpose.value, subject=wanted.named, leaf__isnull=False
    )
    return tuple(chain_of(row) for row in rows.order_by("-id"))


def _of(wanted: Wanted) -> QuerySet[Precertificate]:
    return Precertificate.objects.filter(
        purpose=wanted.purpose.value,
        subject=wanted.named,
        conduct_sha256=wanted.conduct_sha256 or "",
        retired_at__isnull=True,
    )


def current(wanted: Wanted) -> Chain:
    """The certificate that signs now, by the signer's own word; call `ensure` before."""
    shown = _shown(wanted)
    if shown is None:
        raise NotCertified(f"expected a certificate of {wanted.named} for {wanted.purpose}")
    serial = f"{x509.load_der_x509_certificate(shown).serial_number:x}"
    return chain_of(issued().get(serial=serial))


def _is_there(wanted: Wanted, now: datetime) -> bool:
    found = _shown(wanted)
    return found is not None and not ends_soon(x509.load_der_x509_certificate(found), now)


def _shown(wanted: Wanted) -> bytes | None:
    request = CertificateRequest(
        purpose=wanted.purpose,
        subject=wanted.subject,
        conduct_sha256=wanted.conduct_sha256,
        salt=wanted.salt,
    )
    return services.signer().certificate(request)


def _underway(wanted: Wanted) -> QuerySet[Precertificate]:
    return _of(wanted).filter(leaf__isnull=True).select_related("entry")


def _record_authorities() -> None:
    """The root and the intermediates are entries too, since the first certificate was asked for."""
    for each in services.signer().authorities():
        services.log(scts.ledger_entry(each))


def _announce(wanted: Wanted) -> None:
    """See that a precertificate has a row and an entry; of two at a time, one is recorded."""
    with transaction.atomic():
        wanted.check()
    now = timezone.now()
    _underway(wanted).filter(expires_at__lte=now).update(retired_at=now)
    if _underway(wanted).exists():
        return
    announced = services.signer().precertify(_request(wanted))
    with suppress(IntegrityError), transaction.atomic():
        _record(wanted, announced)


def _record(wanted: Wanted, announced: bytes) -> None:
    certificate = x509.load_der_x509_certificate(announced)
    Precertificate.objects.create(
        sha256=sha256(announced),
        purpose=wanted.purpose.value,
        subject=wanted.named,
        conduct_sha256=wanted.conduct_sha256 or "",
        serial=f"{certificate.serial_number:x}",
        der=announced,
        entry=services.log(scts.ledger_entry(announced)),
        expires_at=certificate.not_valid_after_utc,
    )


def _certify(wanted: Wanted) -> Chain:
    """The certificate, now that its entry is in a signed tree; whoever was first has issued it.

    What somebody has announced since has no index yet, and is theirs to go on with.
    """
    row = _underway(wanted).filter(entry__index__isnull=False).first()
    if row is None:
        return chain_of(_of(wanted).filter(leaf__isnull=False).latest("id"))
    request = _proved(row.sha256, services.index_of(row.entry))
    try:
        with transaction.atomic():
            wanted.check()
            chain = services.signer().certify(request)
            leaf, intermediate = chain.to_der()
            Precertificate.objects.filter(pk=row.pk).update(leaf=leaf, intermediate=intermediate)
            wanted.keep(chain)
    except (BadRequest, PurposeStopped):
        # The signer was restored and does not know it, or its intermediate signs no more: the next
        # call begins anew.
        Precertificate.objects.filter(pk=row.pk).update(retired_at=timezone.now())
        raise
    return chain


def _request(wanted: Wanted) -> PrecertifyRequest:
    return PrecertifyRequest(
        purpose=wanted.purpose,
        subject=wanted.subject,
        csr=wanted.csr,
        conduct_sha256=wanted.conduct_sha256,
        salt=wanted.salt,
    )


def _proved(precertificate_sha256: str, index: int) -> CertifyRequest:
    """That the ledger holds a precertificate, whose entry has this index."""
    proof = queries.proof(index)
    return CertifyRequest(
        precertificate_sha256=precertificate_sha256,
        index=proof.index,
        size=proof.size,
        hashes=proof.hashes,
    )
