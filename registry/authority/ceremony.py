# SPDX-License-Identifier: Apache-2.0
"""`authority init`: the key ceremony, and a root key locked away under its own passphrase.

Idempotent: what an interrupted run left is finished by the next one, and a finished one is shown.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from assay.signing import durable
from assay.signing.errors import KeyUnusable
from assay.signing.keys import SoftwareKey
from assay.signing.signer import ceremony
from assay.signing.signer.errors import SignerFilesBroken
from assay.signing.signer.keyring import Place
from assay.signing.trust import TrustRoot

from . import queries
from .errors import NoAuthority

OFFLINE_FOLDER = "offline"
ROOT_KEY_FILE = "root.key.pem"
ROOT_PASSPHRASE_FILE = "root.passphrase"  # noqa: S105 - the file's name
MAKING_FOLDER = "making"
WAITING_FOLDER = "waiting"
PASSPHRASE_BYTES = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What is baked into certificates and signatures, and is therefore permanent."""

    registry_url: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What keys are kept with, and where."""

    passphrase_file: Path
    within: Place | None = None
    """A PKCS#11 token; without one, in encrypted files."""


def init(
    folder: Path, names: Names, means: Means, *, at: datetime, answers: Path | None = None
) -> TrustRoot:
    """Make the authority unless it is there; the trust root that is in force.

    `answers` is what came back from a root elsewhere to the requests of `request`.
    """
    passphrase = secret(means.passphrase_file)
    trust_root = queries.stored_trust_root()
    if trust_root is None:
        making = folder / MAKING_FOLDER
        if not making.exists():
            _make(folder, names, means, at=at, answers=answers)
        trust_root = _move_in(making, folder)
    _lock_root_away(folder / OFFLINE_FOLDER, passphrase)
    return trust_root


def request(folder: Path, means: Means) -> dict[str, bytes]:
    """Make every key but the root's; by file name, the requests (PEM) for the root's machine."""
    passphrase = secret(means.passphrase_file)
    if queries.stored_trust_root() is not None:
        raise SignerFilesBroken(f"{folder} has an authority: a ceremony is held once")
    _private(folder)
    waiting = folder / WAITING_FOLDER
    if not waiting.exists():
        ceremony.prepare(waiting, passphrase=passphrase, within=means.within)
    made = ceremony.requests(waiting, passphrase=passphrase)
    return {f"{purpose}.csr": pem_of(csr) for purpose, csr in made.items()}


def pem_of(csr: bytes) -> bytes:
    """A request as it is carried over: PEM."""
    return x509.load_der_x509_csr(csr).public_bytes(Encoding.PEM)


def secret(path: Path) -> bytes:
    """The first line of a secret file, which is made (0600, synced) if it is not there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        durable.write_file(path, secrets.token_urlsafe(PASSPHRASE_BYTES).encode() + b"\n")
    return path.read_bytes().splitlines()[0]


def _make(folder: Path, names: Names, means: Means, *, at: datetime, answers: Path | None) -> None:
    """Hold the ceremony in a folder inside, for this one may be a mount that cannot be replaced."""
    _private(folder)
    waiting, making = folder / WAITING_FOLDER, folder / MAKING_FOLDER
    passphrase = secret(means.passphrase_file)
    if answers is None:
        if waiting.exists():
            raise SignerFilesBroken("requests wait for the root's answers: give them by --from")
        ceremony.create(
            making,
            registry_url=names.registry_url,
            origin=names.origin,
            passphrase=passphrase,
            at=at,
            within=means.within,
        )
        return
    if not waiting.exists():
        raise SignerFilesBroken("nothing was requested here: begin with `authority request`")
    ceremony.complete(
        waiting,
        ceremony.FromRoot.load(answers),
        registry_url=names.registry_url,
        origin=names.origin,
        passphrase=passphrase,
    )
    waiting.rename(making)
    durable.sync(folder)


def _private(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def _move_in(made: Path, folder: Path) -> TrustRoot:
    """The trust root moves out last: as long as it is not there, there is no authority."""
    for part in sorted(made.iterdir(), key=lambda path: path.name == queries.TRUST_ROOT_FILE):
        part.rename(folder / part.name)
    made.rmdir()
    durable.sync(folder)
    trust_root = queries.stored_trust_root()
    if trust_root is None:
        raise NoAuthority(f"expected a trust root in {folder}, found none after its ceremony")
    return trust_root


def _lock_root_away(offline: Path, passphrase: bytes) -> None:
    """Encrypt the root key anew, so that who has the signer's passphrase cannot open it.

    A key that was moved away (the folder is empty, or gone) is none of our business any more.
    """
    key_file = offline / ROOT_KEY_FILE
    if not key_file.exists():
        return
    try:
        key = SoftwareKey.load(key_file, passphrase)
    except KeyUnusable:
        return  # it has a passphrase of its own already
    fresh = key_file.with_suffix(".fresh")
    fresh.unlink(missing_ok=True)  # an earlier run was interrupted here
    key.store(fresh, secret(offline / ROOT_PASSPHRASE_FILE))
    fresh.rename(key_file)
    durable.sync(offline)
