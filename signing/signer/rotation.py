# SPDX-License-Identifier: Apache-2.0
"""Intermediates that take the place of others, or are a later purpose's first: made and put to use.

The signer makes the key and never gives it away; the root's holder certifies it, here or on a
machine without a network. A crash at any line leaves the old intermediate in force, or the new.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from .. import crls, intermediates
from ..certificates import Purpose
from ..durable import make_folder, sync, write_file
from ..errors import AssayError
from ..intermediates import Name
from ..keys import Curve
from .errors import BadRequest, StorageUnavailable
from .keyring import Keyring
from .opening import (
    INTERMEDIATES_FOLDER,
    LEDGER_KEY_FILE,
    ROOT_CRL_FILE,
    STOPPED_FOLDER,
    Opened,
    Places,
)

STOPPED = b"it signs no more\n"  # who reads the folder, or a copy, sees what the file is for


def prepare(folder: Path, opened: Opened, purpose: Purpose, *, keyring: Keyring) -> bytes:
    """The request (DER) for the next intermediate; asked for again, it is for the same key.

    Its key is made where the key of the one before is (of the first: the ledger's key): in a file,
    or in that token.
    """
    before, name = opened.newest(purpose), opened.next(purpose)
    beside = Places.of(folder, before).key if before else folder / LEDGER_KEY_FILE
    pending = _pending(folder, name)
    try:
        pending.parent.mkdir(mode=0o700, exist_ok=True)
        if not pending.exists():
            make_folder(pending)
        key = keyring.make(
            Places.within(pending).key,
            label=f"intermediate {name}",
            curve=Curve.P256,
            within=keyring.place(beside),
        )
    except OSError as error:
        raise StorageUnavailable(f"the new key cannot be stored: {error.strerror}") from error
    return intermediates.request(name, key)


def install(folder: Path, opened: Opened, found: x509.Certificate, *, keyring: Keyring) -> Name:
    """Put a certified intermediate to use; what the one before it signed stays as it was.

    1. The root made the certificate, for the next of its purpose, over the key that is waiting.
    2. Certificate, and for timestamps the authority's key, are durable beside the key.
    3. The folder gets its name: from then on it is the newest.
    """
    try:
        name = Name.of(found)
        _check_next(folder, opened, name)
        places = Places.within(_pending(folder, name))
        key = keyring.load(places.key)
        trusted = opened.trust_root
        intermediates.check(  # 1
            found,
            name=name,
            public_key=key.public_key,
            root=trusted.root,
            registry=trusted.registry,
        )
        write_file(places.certificate, found.public_bytes(Encoding.PEM))  # 2
        if name.purpose is Purpose.TIMESTAMP:
            keyring.make(
                places.stamping_key,
                label=f"timestamp authority {name.number}",
                curve=Curve.P256,
                within=keyring.place(places.key),
            )
        _pending(folder, name).rename(folder / INTERMEDIATES_FOLDER / f"{name}")  # 3
        sync(folder / INTERMEDIATES_FOLDER)
    except OSError as error:
        raise StorageUnavailable(f"the intermediate cannot be stored: {error.strerror}") from error
    except AssayError as error:
        raise BadRequest(str(error)) from error
    return name


def stop(folder: Path, name: Name) -> None:
    """Mark an intermediate as one that signs no more: durable before this returns."""
    marks = folder / INTERMEDIATES_FOLDER / STOPPED_FOLDER
    try:
        if not marks.exists():
            make_folder(marks)
        write_file(marks / f"{name}", STOPPED)
    except OSError as error:
        raise StorageUnavailable(f"the mark cannot be stored: {error.strerror}") from error


def install_root_crl(folder: Path, root: x509.Certificate, der: bytes, *, at: datetime) -> int:
    """Take a list of the root's in; its number. Raises BadRequest for one that is none.

    It must be the root's, newer than the one that is there, and take no revocation back.
    """
    path = folder / ROOT_CRL_FILE
    try:
        found = crls.read(der, issuer=root)
        before = crls.read(path.read_bytes(), issuer=root) if path.exists() else None
        _check_newer(found, before, at)
        write_file(path, der)
    except OSError as error:
        raise StorageUnavailable(f"the list cannot be stored: {error.strerror}") from error
    except AssayError as error:
        raise BadRequest(str(error)) from error
    return crls.number_of(found)


def _check_next(folder: Path, opened: Opened, name: Name) -> None:
    expected = opened.next(name.purpose)
    is_asked_for = _pending(folder, expected).is_dir()
    if name != expected or not is_asked_for:
        wanted = f"that of {expected}" if is_asked_for else f"a request for {expected} before it"
        raise BadRequest(f"certificate: expected {wanted}, found the certificate of {name}")


def _check_newer(
    found: x509.CertificateRevocationList,
    before: x509.CertificateRevocationList | None,
    at: datetime,
) -> None:
    if found.last_update_utc > at:
        raise BadRequest(f"crl: expected one from before {at:%Y-%m-%dT%H:%M:%SZ}, found a later")
    if before is None:
        return
    if crls.number_of(found) <= crls.number_of(before):
        expected = f"a number above {crls.number_of(before)}"
        raise BadRequest(f"crl: expected {expected}, found {crls.number_of(found)}")
    lost = {each.serial_number for each in before} - {each.serial_number for each in found}
    if lost:
        raise BadRequest(f"crl: expected all that was revoked before, missed {min(lost):x}")


def _pending(folder: Path, name: Name) -> Path:
    return folder / INTERMEDIATES_FOLDER / f".{name}.pending"
