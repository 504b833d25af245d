# SPDX-License-Identifier: Apache-2.0
"""The root's holder beside a signer: certifies what it asks for, and lists what was revoked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from assay.signing.certificates import Issuer, Purpose
from assay.signing.intermediates import Name
from assay.signing.revocation import Reason, Revocation
from assay.signing.signer import offline as roots
from assay.signing.signer.client import SignerClient
from assay.signing.signer.keyring import Keyring
from tests.signing.signer.worlds import BORN, PASSPHRASE

OUTPUT = Name(purpose=Purpose.OUTPUT)
OUTPUT_2 = OUTPUT.next
STAMPS = Name(purpose=Purpose.TIMESTAMP)


def root_of(folder: Path) -> Issuer:
    return roots.load(folder / "offline", keyring=Keyring(PASSPHRASE))


def certified(folder: Path, csr: bytes, *, at: datetime = BORN) -> bytes:
    return roots.certify(root_of(folder), csr, at=at).public_bytes(Encoding.DER)


def rotate(client: SignerClient, folder: Path, purpose: Purpose, *, at: datetime = BORN) -> None:
    csr = client.prepare_intermediate(purpose)
    client.install_intermediate(certified(folder, csr, at=at))


def root_list(
    folder: Path, certificates: Sequence[x509.Certificate], *, at: datetime = BORN
) -> bytes:
    """The root's next list; these were in wrong hands from then on."""
    revoked = [
        Revocation(
            serial=each.serial_number, revoked_at=at, reason=Reason.CA_COMPROMISE, invalid_from=at
        )
        for each in certificates
    ]
    return roots.renew_list(folder / "offline", root_of(folder), revoking=revoked, at=at)
