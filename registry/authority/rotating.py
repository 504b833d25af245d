# SPDX-License-Identifier: Apache-2.0
"""Intermediates put in the place of others, and newer lists of the root's, by way of the signer.

Neither needs a secret of this process: the root's key is opened where an operator has it, here for
the length of one command, or on a machine without a network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.db import transaction

from assay.signing import crls
from assay.signing.certificates import Issuer, Purpose
from assay.signing.digests import sha256
from assay.signing.intermediates import Name
from assay.signing.revocation import Revocation as Finding
from assay.signing.signer import offline as roots
from assay.signing.signer.administration import IssuerState
from assay.signing.signer.keyring import Keyring, read_passphrase
from assay.signing.statements import RevocationClaim
from registry.accounts import queries as accounts
from registry.audit import services as audit
from registry.ledger import barring
from registry.ledger import services as ledger
from registry.wakeups import nudge

from . import issuing, revocations
from .models import Certificate, Revocation


@dataclass(frozen=True, slots=True, kw_only=True)
class RootAtHand:
    """The root's folder and the file with its passphrase, on this machine for now."""

    folder: Path
    passphrase_file: Path

    def open(self) -> Issuer:
        """The root, with its key; raises SignerFilesBroken or KeyUnusable."""
        return roots.load(self.folder, keyring=self._keyring())

    def next_list(self, revoking: Sequence[Finding], *, at: datetime) -> bytes:
        """Its next revocation list (DER)."""
        return roots.renew_list(self.folder, self.open(), revoking=revoking, at=at)

    def _keyring(self) -> Keyring:
        return Keyring(read_passphrase(self.passphrase_file))


def request(purpose: Purpose) -> bytes:
    """The request (DER) for a purpose's next intermediate; raises SignerError."""
    return ledger.signer().prepare_intermediate(purpose)


def rotate(purpose: Purpose, root: RootAtHand, *, at: datetime) -> Name:
    """Put another intermediate in its place, certified by the root here."""
    opened = root.open()
    return install(roots.certify(opened, request(purpose), at=at))


def install(certificate: x509.Certificate) -> Name:
    """Put the intermediate that was asked for to use, and show its first revocation list."""
    ledger.signer().install_intermediate(certificate.public_bytes(Encoding.DER))
    name = Name.of(certificate)
    with transaction.atomic():
        revocations.renew(name)
        details = {"serial": f"{certificate.serial_number:x}"}
        audit.record(accounts.SYSTEM, "authority.rotate", str(name), details)
        nudge(revocations.DISTRIBUTE)
    return name


def install_root_list(crl: bytes) -> tuple[Name, ...]:
    """Show the root's newer list, and log what it revokes; the intermediates that are new in it.

    Interrupted, or refused because a purpose that signs revocations is stopped itself, it can be
    called again with the same list. Raises SignerError.
    """
    client = ledger.signer()
    if client.root_crl() != crl:
        client.install_root_crl(crl)
        with transaction.atomic():
            revocations.keep_root()
            digest = {"sha256": sha256(crl)}
            audit.record(accounts.SYSTEM, "authority.root-list", crls.ROOT, digest)
    found = {each.serial: each for each in crls.revocations(x509.load_der_x509_crl(crl))}
    listed = [each for each in client.issuers() if each.certificate.serial_number in found]
    with transaction.atomic():
        barring.bar(each.certificate for each in listed)
        nudge(revocations.DISTRIBUTE)
    fresh = [each for each in listed if not _is_logged(each)]
    for each in fresh:
        _log(each, found[each.certificate.serial_number])
    return tuple(each.name for each in fresh)


def _is_logged(state: IssuerState) -> bool:
    serial = f"{state.certificate.serial_number:x}"
    return Revocation.objects.filter(certificate__serial=serial).exists()


def _log(state: IssuerState, finding: Finding) -> None:
    """The intermediate's row, its revocation and the statement, together."""
    certificate = state.certificate
    issuing.ensure_office(revocations.OFFICE)
    with transaction.atomic():
        row, _ = Certificate.objects.get_or_create(
            serial=f"{certificate.serial_number:x}",
            defaults={
                "subject": certificate.subject.rfc4514_string(),
                "purpose": state.name.purpose.value,
                "issuer": crls.ROOT,
                "pem": certificate.public_bytes(Encoding.PEM).decode(),
                "issued_at": certificate.not_valid_before_utc,
                "expires_at": certificate.not_valid_after_utc,
            },
        )
        digest = sha256(certificate.public_bytes(Encoding.DER))
        claim = RevocationClaim(certificate_sha256=digest, issuer=crls.ROOT, revocation=finding)
        statement = revocations.log(claim)
        Revocation.objects.create(
            certificate=row,
            reason=finding.reason.value,
            revoked_at=finding.revoked_at,
            invalid_from=finding.invalid_from,
            statement=statement,
        )
        details = {"reason": finding.reason.value, "statement": statement.sha256}
        audit.record(accounts.SYSTEM, "authority.revoke", str(state.name), details)
        nudge("ledger.integrate")
