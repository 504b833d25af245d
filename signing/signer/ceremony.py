# SPDX-License-Identifier: Apache-2.0
"""Make a registry's keys and certificates, once: root, intermediates, timestamps, ledger.

The folder appears whole or not at all. `offline/` holds the root key, which nothing reads again: an
operator moves it to other hardware.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from .. import canonical, certificates, crls, ocsp, treehead
from ..certificates import Issuer, Purpose
from ..crls import Period
from ..durable import make_folder, sync, write_file
from ..keys import Curve, SoftwareKey
from ..revocation import Revocation
from ..trust import TrustRoot
from .audit import Audit
from .errors import SignerFilesBroken
from .highwater import HighWater
from .keystore import LEAF_DAYS
from .opening import (
    INTERMEDIATES_FOLDER,
    LEAVES_FOLDER,
    LEDGER_KEY_FILE,
    OFFLINE_FOLDER,
    ROOT_CRL_FILE,
    ROOT_FILE,
    TIMESTAMP_FILE,
    TIMESTAMP_KEY_FILE,
    TRUST_ROOT_FILE,
)

HEAD_FILE = "head.json"
AUDIT_FILE = "audit.jsonl"
LOCK_FILE = "lock"
ROOT_KEY_FILE = "root.key.pem"
ROOT_CRL_DAYS = 365


def create(
    directory: Path, *, registry_url: str, origin: str, passphrase: bytes, at: datetime
) -> TrustRoot:
    """Make everything in a new folder and return what users will pin.

    Raises SignerFilesBroken if the folder exists: its keys are for ever, and are never replaced.
    """
    if directory.exists():
        raise SignerFilesBroken(f"{directory} exists: a ceremony is held once for each registry")
    if not passphrase:
        raise SignerFilesBroken("expected a passphrase, found an empty one")
    unfinished = directory.with_name(f".{directory.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)  # a ceremony that was interrupted
    make_folder(unfinished)
    trust_root = _fill(
        unfinished,
        passphrase=passphrase,
        at=at.replace(microsecond=0),
        names=(registry_url.rstrip("/"), origin),
    )
    unfinished.rename(directory)
    sync(directory.parent)
    return trust_root


def root_crl(
    root: Issuer, revocations: Sequence[Revocation], *, number: int, at: datetime
) -> bytes:
    """The list of the intermediates that the root has revoked, for a year: its key is offline."""
    period = Period(this_update=at, next_update=at + timedelta(days=ROOT_CRL_DAYS))
    return crls.create(
        revocations, issuer=root.certificate, key=root.key, number=number, period=period
    )


def _fill(folder: Path, *, passphrase: bytes, at: datetime, names: tuple[str, str]) -> TrustRoot:
    registry_url, origin = names
    for name in (OFFLINE_FOLDER, INTERMEDIATES_FOLDER, LEAVES_FOLDER):
        make_folder(folder / name)
    root_key = SoftwareKey.generate(Curve.P384)
    root = Issuer(
        certificate=certificates.root(root_key, name=f"Assay root for {registry_url}", at=at),
        key=root_key,
        crl_url=crls.address(registry_url, crls.ROOT),
    )
    root_key.store(folder / OFFLINE_FOLDER / ROOT_KEY_FILE, passphrase)
    _write_certificate(folder / ROOT_FILE, root.certificate)
    write_file(folder / ROOT_CRL_FILE, root_crl(root, (), number=1, at=at))
    issuers = {each: _intermediate(folder, each, root, passphrase, at) for each in Purpose}
    stamps_at = f"{registry_url}/timestamp"
    stamping = replace(
        issuers[Purpose.TIMESTAMP],
        crl_url=crls.address(registry_url, Purpose.TIMESTAMP),
        ocsp_url=ocsp.address(registry_url, Purpose.TIMESTAMP),
    )
    _timestamp(folder, stamping, passphrase, at, stamps_at)
    ledger_key = SoftwareKey.generate(Curve.ED25519)
    ledger_key.store(folder / LEDGER_KEY_FILE, passphrase)
    HighWater.create(folder / HEAD_FILE)
    Audit.create(folder / AUDIT_FILE)
    trust_root = TrustRoot(
        registry=registry_url,
        root=root.certificate,
        origin=origin,
        verifier=treehead.vkey(origin, ledger_key.public_key),
    )
    write_file(folder / TRUST_ROOT_FILE, canonical.dumps(trust_root.to_json()))
    return trust_root


def _intermediate(
    folder: Path, purpose: Purpose, root: Issuer, passphrase: bytes, at: datetime
) -> Issuer:
    key = SoftwareKey.generate()
    certificate = certificates.intermediate(purpose, key.public_key, issuer=root, at=at)
    files = folder / INTERMEDIATES_FOLDER
    key.store(files / f"{purpose}.key.pem", passphrase)
    _write_certificate(files / f"{purpose}.pem", certificate)
    return Issuer(certificate=certificate, key=key)


def _timestamp(folder: Path, issuer: Issuer, passphrase: bytes, at: datetime, subject: str) -> None:
    key = SoftwareKey.generate()
    certificate = certificates.leaf(
        Purpose.TIMESTAMP,
        key.public_key,
        subject=subject,
        issuer=issuer,
        at=at,
        days=LEAF_DAYS[Purpose.TIMESTAMP],
    )
    key.store(folder / TIMESTAMP_KEY_FILE, passphrase)
    _write_certificate(folder / TIMESTAMP_FILE, certificate)


def _write_certificate(path: Path, certificate: x509.Certificate) -> None:
    write_file(path, certificate.public_bytes(Encoding.PEM))
