# SPDX-License-Identifier: Apache-2.0
"""Signs what distributes the trust root (TUF), but for its root, by a key of its own.

TUF's root, which says that this key may, is signed where the authority's root key is, offline. So a
stolen signer can show an old trusted root, or another one, until the next root; never a new root.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from .. import canonical
from ..errors import InvalidDocument
from ..keys import SoftwareKey
from .errors import BadRequest, StorageUnavailable

DISTRIBUTION_KEY_FILE = "distribution.key.pem"
SPEC_VERSION = "1.0."
LONGEST: Mapping[str, timedelta] = {
    "timestamp": timedelta(days=8),  # a client is frozen on an old root for so long at most
    "snapshot": timedelta(days=40),
    "targets": timedelta(days=40),
}


def distribution_key(folder: Path, *, passphrase: bytes) -> SoftwareKey:
    """The key, made if it is not there."""
    path = folder / DISTRIBUTION_KEY_FILE
    try:
        if not path.exists():
            SoftwareKey.generate().store(path, passphrase)
        return SoftwareKey.load(path, passphrase)
    except OSError as error:
        message = f"nothing was signed: {DISTRIBUTION_KEY_FILE}: {error.strerror}"
        raise StorageUnavailable(message) from error


def check(metadata: bytes, at: datetime) -> Mapping[str, str | int]:
    """What is to be written down about metadata; raises BadRequest unless this key may sign it.

    1. Canonical JSON of one of the three roles, of the version that is known.
    2. It ends, and not later than such metadata should.
    3. Targets delegate to nobody.
    """
    try:
        obj = canonical.as_mapping(canonical.loads_canonical(metadata), "metadata")
        role, spec = canonical.text(obj, "_type"), canonical.text(obj, "spec_version")
        expires = canonical.instant(obj, "expires")
        version = canonical.integer(obj, "version", minimum=1)
    except InvalidDocument as error:
        raise BadRequest(f"metadata: {error}") from error
    if role not in LONGEST or not spec.startswith(SPEC_VERSION):  # 1
        raise BadRequest(f"_type: expected one of {', '.join(LONGEST)}, found {role[:80]!a}")
    if not at < expires <= at + LONGEST[role]:  # 2
        raise BadRequest(f"expires: expected at most {LONGEST[role].days} days from now")
    if "delegations" in obj:  # 3
        raise BadRequest("delegations: expected none, found some")
    return {"role": role, "version": version, "expires": canonical.instant_text(expires)}
