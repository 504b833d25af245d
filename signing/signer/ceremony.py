# SPDX-License-Identifier: Apache-2.0
"""Make a registry's keys and certificates, once: root, intermediates, timestamps, ledger.

In one go (`create`), or with a root on a machine without a network: `prepare` makes every other
key, `requests` go there, and `complete` takes in what comes back. The folder appears whole or not
at all. `offline/` holds the root of `create`, which nothing reads again: an operator moves it away.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from .. import canonical, crls, intermediates, treehead
from ..certificates import Purpose
from ..durable import make_folder, sync, write_file
from ..errors import AssayError
from ..intermediates import Name
from ..keys import Curve
from ..trust import TrustRoot
from . import offline as roots
from .audit import Audit
from .errors import SignerFilesBroken
from .highwater import HighWater
from .issuing import PRECERTIFICATES_FOLDER
from .keyring import Keyring, Place
from .opening import (
    INTERMEDIATES_FOLDER,
    LEAVES_FOLDER,
    LEDGER_KEY_FILE,
    LOG_KEY_FILE,
    OFFLINE_FOLDER,
    ROOT_CRL_FILE,
    ROOT_FILE,
    TRUST_ROOT_FILE,
    Places,
    certificate,
)

HEAD_FILE = "head.json"
AUDIT_FILE = "audit.jsonl"
LOCK_FILE = "lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class FromRoot:
    """What comes back from the root: itself, its list, and an intermediate for each purpose."""

    root: x509.Certificate
    crl: bytes
    intermediates: Mapping[Purpose, x509.Certificate]

    @classmethod
    def load(cls, folder: Path) -> FromRoot:
        """Read `root.pem`, `root.crl` and `<purpose>.pem`; raises SignerFilesBroken."""
        try:
            return cls(
                root=certificate(folder / ROOT_FILE),
                crl=(folder / ROOT_CRL_FILE).read_bytes(),
                intermediates={each: certificate(folder / f"{each}.pem") for each in Purpose},
            )
        except OSError as error:
            raise SignerFilesBroken(
                f"expected what the root's machine answered (root.pem, root.crl and a certificate "
                f"for each request), found {error.filename}: {error.strerror}"
            ) from error


def create(
    directory: Path,
    *,
    registry_url: str,
    origin: str,
    passphrase: bytes,
    at: datetime,
    within: Place | None = None,
) -> TrustRoot:
    """Make everything in a new folder and return what users will pin.

    `within` a token, where one is named, the root's key too. Raises SignerFilesBroken if the folder
    exists: its keys are for ever, and are never replaced.
    """
    registry, at = registry_url.rstrip("/"), at.replace(microsecond=0)
    unfinished = _begin(directory, passphrase)
    keyring = Keyring(passphrase)
    _prepare(unfinished, keyring, within)
    offline = unfinished / OFFLINE_FOLDER
    make_folder(offline)
    root = roots.create(offline, registry=registry, keyring=keyring, at=at, within=within)
    certified = {
        purpose: roots.certify(root, csr, at=at)
        for purpose, csr in requests(unfinished, passphrase=passphrase).items()
    }
    crl = (offline / ROOT_CRL_FILE).read_bytes()
    from_root = FromRoot(root=root.certificate, crl=crl, intermediates=certified)
    trust_root = _complete(unfinished, from_root, names=(registry, origin), keyring=keyring)
    _end(unfinished, directory)
    return trust_root


def prepare(directory: Path, *, passphrase: bytes, within: Place | None = None) -> None:
    """Make every key but the root's in a new folder, which waits for `complete`."""
    unfinished = _begin(directory, passphrase)
    _prepare(unfinished, Keyring(passphrase), within)
    _end(unfinished, directory)


def requests(directory: Path, *, passphrase: bytes) -> dict[Purpose, bytes]:
    """For each purpose the request (PKCS#10, DER) that the root is to answer."""
    keyring = Keyring(passphrase)
    names = [Name(purpose=each) for each in Purpose]
    return {
        name.purpose: intermediates.request(name, keyring.load(Places.of(directory, name).key))
        for name in names
    }


def complete(
    directory: Path,
    from_root: FromRoot,
    *,
    registry_url: str,
    origin: str,
    passphrase: bytes,
) -> TrustRoot:
    """Take in what came back from the root; interrupted, it can be called again.

    Raises SignerFilesBroken for what does not fit the keys that are waiting.
    """
    names = (registry_url.rstrip("/"), origin)
    return _complete(
        directory,
        from_root,
        names=names,
        keyring=Keyring(passphrase),
    )


def _begin(directory: Path, passphrase: bytes) -> Path:
    if directory.exists():
        raise SignerFilesBroken(f"{directory} exists: a ceremony is held once for each registry")
    if not passphrase:
        raise SignerFilesBroken("expected a passphrase, found an empty one")
    unfinished = directory.with_name(f".{directory.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)  # a ceremony that was interrupted
    make_folder(unfinished)
    return unfinished


def _end(unfinished: Path, directory: Path) -> None:
    unfinished.rename(directory)
    sync(directory.parent)


def _prepare(folder: Path, keyring: Keyring, within: Place | None) -> None:
    for name in (INTERMEDIATES_FOLDER, LEAVES_FOLDER, PRECERTIFICATES_FOLDER):
        make_folder(folder / name)
    for purpose in Purpose:
        path = Places.of(folder, Name(purpose=purpose)).key
        keyring.make(path, label=f"intermediate {purpose}", curve=Curve.P256, within=within)
    stamping = Places.of(folder, Name(purpose=Purpose.TIMESTAMP)).stamping_key
    keyring.make(stamping, label="timestamp authority", curve=Curve.P256, within=within)
    ledger = folder / LEDGER_KEY_FILE
    keyring.make(ledger, label="ledger", curve=Curve.ED25519, within=within)
    log = folder / LOG_KEY_FILE
    keyring.make(log, label="certificate log", curve=Curve.P256, within=within)


def _complete(
    folder: Path, from_root: FromRoot, *, names: tuple[str, str], keyring: Keyring
) -> TrustRoot:
    """The trust root is written last: as long as it is not there, there is no authority."""
    registry, origin = names
    ledger_key = keyring.load(folder / LEDGER_KEY_FILE)
    trust_root = TrustRoot(
        registry=registry,
        root=from_root.root,
        origin=origin,
        verifier=treehead.vkey(origin, ledger_key.public_key),
        certificate_log=keyring.load(folder / LOG_KEY_FILE).public_key,
    )
    try:
        TrustRoot.parse(trust_root.to_json())
        crls.read(from_root.crl, issuer=from_root.root)
        for purpose, found in from_root.intermediates.items():
            name = Name(purpose=purpose)
            places = Places.of(folder, name)
            key = keyring.load(places.key)
            intermediates.check(
                found,
                name=name,
                public_key=key.public_key,
                root=from_root.root,
                registry=registry,
            )
            write_file(places.certificate, found.public_bytes(Encoding.PEM))
    except AssayError as error:
        raise SignerFilesBroken(f"what came from the root does not fit: {error}") from error
    write_file(folder / ROOT_FILE, from_root.root.public_bytes(Encoding.PEM))
    write_file(folder / ROOT_CRL_FILE, from_root.crl)
    HighWater.create(folder / HEAD_FILE)
    Audit.create(folder / AUDIT_FILE)
    write_file(folder / TRUST_ROOT_FILE, canonical.dumps(trust_root.to_json()))
    return trust_root
