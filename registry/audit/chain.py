# SPDX-License-Identifier: Apache-2.0
"""What chains one audit row to the next: a digest over all that the row says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from assay.signing import canonical, digests

from .models import AuditRow

GENESIS = "0" * 64
EMPTY: dict[str, object] = {"actor": "", "subject": "", "details": {}, "salt": None}
"""What a row says that named a person who has left; one that says something has an actor."""

ERASURE = "person.erase"
"""The action of the row that says how many rows and statements an erasure emptied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a row says, before there is one."""

    at: datetime
    actor: str
    action: str
    subject: str
    details: Mapping[str, object]
    salt: bytes
    previous_sha256: str


def digest(row: AuditRow | Words) -> str:
    """SHA-256 of the row's canonical JSON, its predecessor's digest included.

    The salt is in it, and goes with the words: the digest of an emptied row confirms no guess at
    what it said. Rows from before there were salts have none.
    """
    content = {
        "at": row.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": row.actor,
        "action": row.action,
        "subject": row.subject,
        "details": row.details,
        "previous": row.previous_sha256,
    }
    if row.salt is not None:
        content["salt"] = bytes(row.salt).hex()
    return digests.sha256(canonical.dumps(content))
