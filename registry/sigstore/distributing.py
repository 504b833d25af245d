# SPDX-License-Identifier: Apache-2.0
"""Distributes the trusted root by TUF: a root signed offline, and below it what the signer signs.

    N.root.json                         by the offline key, where that is: for three years
    N.targets.json   N.snapshot.json    which documents there are: for a month
    timestamp.json                      which of these is the newest: for a week, renewed daily
    targets/SHA256.NAME                 trusted_root.json, signing_config.v0.2.json

Everything lies below `trust/` in the data folder and is served from there alone. A file that others
point to is durable before they do; a crash leaves the old timestamp, which points to old files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from django.conf import settings
from django.db import connection, transaction
from securesystemslib.signer import Signature, Signer, SSlibKey
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import (
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from assay.signing import durable
from assay.signing.signer.offline.distributing import Request
from registry.ledger import services as ledger
from registry.oidc.providers import Use, providers

from . import documents, material
from .errors import NotDistributed

DISTRIBUTING_LOCK = 0x6173736179_07
FOLDER = "trust"
TARGETS = "targets"
TARGETS_DAYS, TIMESTAMP_DAYS = 30, 7
RENEWED_BEFORE = timedelta(days=6)  # of the timestamp's seven: daily, with days to notice a fault
TARGETS_RENEWED_BEFORE = timedelta(days=10)
TARGETS_ROLE, SNAPSHOT_ROLE, TIMESTAMP_ROLE = "targets", "snapshot", "timestamp"
ONLINE_ROLES = (TARGETS_ROLE, SNAPSHOT_ROLE, TIMESTAMP_ROLE)
NAME = re.compile(
    r"timestamp\.json|[1-9][0-9]{0,8}\.(root|targets|snapshot)\.json"
    r"|targets/[0-9a-f]{64}\.[a-z0-9_.]{1,60}"
)
FILE_MODE = 0o644

S = TypeVar("S", Root, Targets, Snapshot, Timestamp)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Online(Signer):
    """The signer's key, which this process never holds."""

    public_key: SSlibKey

    @classmethod
    def from_priv_key_uri(
        cls, priv_key_uri: str, public_key: object, secrets_handler: object = None
    ) -> Signer:
        # Abstract there, so it has to be here, and is never called: securesystemslib's own word for
        # what a signer does not do. A key's address would be one more way to a key.
        raise NotImplementedError("expected a key at hand, found an address of one")

    def sign(self, payload: bytes) -> Signature:
        return Signature(self.public_key.keyid, ledger.signer().sign_metadata(payload).hex())


def request() -> Request:
    """What the root's machine is asked to sign next: it names the signer's key as it is now."""
    previous = newest_root()
    return Request(
        registry=settings.PUBLIC_URL,
        version=previous.version + 1 if previous else 1,
        online_key=_online_key(),
    )


def take_root(data: bytes, *, now: datetime) -> int:
    """Publish a root that was signed offline; its version. Raises NotDistributed.

    1. It is metadata of a root, of the next version, and good for a while.
    2. Its own key signed it, and so did the one of the root before: clients ask for no less.
    3. The signer's key distributes below it, and no other does.
    """
    previous = newest_root()
    version = previous.version + 1 if previous else 1
    try:
        metadata = Metadata[Root].from_bytes(data)
        root = metadata.signed
        for by in (root, previous or root):  # 2
            by.verify_delegate(Root.type, metadata.signed_bytes, metadata.signatures)
    except RepositoryError as error:
        raise NotDistributed(
            f"expected a root signed by its key and the one before: {error}"
        ) from error
    if (root.version, root.consistent_snapshot) != (version, True) or root.expires <= now:  # 1
        raise NotDistributed(
            f"expected version {version}, not ended, found version {root.version}, "
            f"good until {root.expires:%Y-%m-%d}"
        )
    online = _key(_online_key()).keyid
    if any(root.roles[role].keyids != [online] for role in ONLINE_ROLES):  # 3
        raise NotDistributed(
            f"expected a root that names the signer's key {online[:16]}, found another: "
            "ask for one anew"
        )
    _write(f"{version}.root.json", data)
    return version


def refresh(*, now: datetime) -> bool:
    """Distribute what there is now, if that is new or the old ends soon; whether it did."""
    if newest_root() is None:
        return False
    contents = _contents()
    with transaction.atomic(), connection.cursor() as cursor:  # one at a time
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [DISTRIBUTING_LOCK])
        return _refresh(contents, now)


def _refresh(contents: Mapping[str, bytes], now: datetime) -> bool:
    timestamp, targets = _newest()
    is_new = targets is None or _digests(targets) != {
        name: sha256(data).hexdigest() for name, data in contents.items()
    }
    needs_targets = targets is None or is_new or targets.expires < now + TARGETS_RENEWED_BEFORE
    if timestamp and not needs_targets and timestamp.expires > now + RENEWED_BEFORE:
        return False
    _distribute(contents, now, version=timestamp.version + 1 if timestamp else 1)
    return True


def newest_root() -> Root | None:
    """The root that was signed last."""
    versions = [int(path.name.split(".")[0]) for path in folder().glob("*.root.json")]
    return _read(Root, f"{max(versions)}.root.json") if versions else None


def folder() -> Path:
    """Where it all lies."""
    return Path(settings.DATA_DIR) / FOLDER


def _distribute(contents: Mapping[str, bytes], now: datetime, *, version: int) -> None:
    """Documents, then targets, then snapshot; the timestamp, which makes them count, is last."""
    signer = _online()
    later = now + timedelta(days=TARGETS_DAYS)
    files = {name: TargetFile.from_data(name, data) for name, data in contents.items()}
    for name, data in contents.items():
        _write(f"{TARGETS}/{sha256(data).hexdigest()}.{name}", data)
    targets = _signed(Targets(version=version, expires=later, targets=files), signer)
    _write(f"{version}.targets.json", targets)
    meta = {f"{TARGETS_ROLE}.json": MetaFile.from_data(version, targets, ["sha256"])}
    snapshot = _signed(Snapshot(version=version, expires=later, meta=meta), signer)
    _write(f"{version}.snapshot.json", snapshot)
    # COMMIT POINT: until here clients see the old timestamp and all that it leads to.
    timestamp = Timestamp(
        version=version,
        expires=now + timedelta(days=TIMESTAMP_DAYS),
        snapshot_meta=MetaFile.from_data(version, snapshot, ["sha256"]),
    )
    _write("timestamp.json", _signed(timestamp, signer))


def _contents() -> dict[str, bytes]:
    found = material.current()
    issuers = [one.issuer for one in providers().for_use(Use.SIGNING)]
    return {
        "signing_config.v0.2.json": _json(documents.signing_config(found, issuers=issuers)),
        "trusted_root.json": _json(documents.trusted_root(found)),
    }


def _newest() -> tuple[Timestamp | None, Targets | None]:
    """What is distributed."""
    if not (folder() / "timestamp.json").exists():
        return None, None
    timestamp = _read(Timestamp, "timestamp.json")
    return timestamp, _read(Targets, f"{timestamp.version}.targets.json")


def _digests(targets: Targets) -> dict[str, str]:
    return {name: file.hashes["sha256"] for name, file in targets.targets.items()}


def _read(kind: type[S], name: str) -> S:
    """Metadata of ours; raises NotDistributed."""
    try:
        return Metadata[S].from_bytes((folder() / name).read_bytes()).signed
    except (OSError, RepositoryError) as error:
        raise NotDistributed(f"expected {kind.__name__.lower()} in {name}: {error}") from error


def _signed(signed: S, signer: Signer) -> bytes:
    metadata = Metadata(signed)
    metadata.sign(signer)
    return metadata.to_bytes()


def _online() -> _Online:
    return _Online(public_key=_key(_online_key()))


def _online_key() -> ec.EllipticCurvePublicKey:
    key = load_der_public_key(ledger.signer().distribution_key())
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise NotDistributed("expected a key on a NIST curve, found another kind")
    return key


def _key(key: ec.EllipticCurvePublicKey) -> SSlibKey:
    return SSlibKey.from_crypto(key)


def _json(document: documents.Json) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True).encode()


def _write(name: str, data: bytes) -> None:
    """Whole and durable before it has its name."""
    path = folder() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with durable.replacing(path) as part:
        part.write(data)
    path.chmod(FILE_MODE)
