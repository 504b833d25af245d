# SPDX-License-Identifier: Apache-2.0
"""`authority init`: the key ceremony, and a root key locked away under its own passphrase.

Idempotent: what an interrupted run left is finished by the next one, and a finished one is shown.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from assay.signing import durable
from assay.signing.errors import KeyUnusable
from assay.signing.keys import SoftwareKey
from assay.signing.signer import ceremony
from assay.signing.trust import TrustRoot

from . import queries
from .errors import NoAuthority

OFFLINE_FOLDER = "offline"
ROOT_KEY_FILE = "root.key.pem"
ROOT_PASSPHRASE_FILE = "root.passphrase"  # noqa: S105 - the file's name
MAKING_FOLDER = "making"
PASSPHRASE_BYTES = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What is baked into certificates and signatures, and is therefore permanent."""

    registry_url: str
    origin: str


def init(folder: Path, names: Names, *, passphrase_file: Path, at: datetime) -> TrustRoot:
    """Make the authority unless it is there; the trust root that is in force."""
    passphrase = secret(passphrase_file)
    trust_root = queries.stored_trust_root()
    if trust_root is None:
        trust_root = _create(folder, names, passphrase=passphrase, at=at)
    _lock_root_away(folder / OFFLINE_FOLDER, passphrase)
    return trust_root


def secret(path: Path) -> bytes:
    """The first line of a secret file, which is made (0600, synced) if it is not there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        durable.write_file(path, secrets.token_urlsafe(PASSPHRASE_BYTES).encode() + b"\n")
    return path.read_bytes().splitlines()[0]


def _create(folder: Path, names: Names, *, passphrase: bytes, at: datetime) -> TrustRoot:
    """Hold the ceremony in a folder inside, for this one may be a mount that cannot be replaced.

    The trust root moves out last: as long as it is not there, there is no authority.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = folder / MAKING_FOLDER
    if not made.exists():
        ceremony.create(
            made, registry_url=names.registry_url, origin=names.origin, passphrase=passphrase, at=at
        )
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
