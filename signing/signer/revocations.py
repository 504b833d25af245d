# SPDX-License-Identifier: Apache-2.0
"""Revocations as JSON: how they are sent to the signer, and named by digest in its audit file."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .. import canonical
from ..errors import InvalidDocument
from ..revocation import Reason, Revocation

_SERIAL = re.compile(r"[0-9a-f]{1,40}")


def to_json(revocations: Sequence[Revocation]) -> list[dict[str, str | None]]:
    """One object for each."""
    return [
        {
            "serial": f"{each.serial:x}",
            "revoked_at": canonical.instant_text(each.revoked_at),
            "reason": each.reason.value,
            "invalid_from": None
            if each.invalid_from is None
            else canonical.instant_text(each.invalid_from),
        }
        for each in revocations
    ]


def parse(item: object) -> Revocation:
    """One object, read strictly; raises InvalidDocument."""
    document = canonical.as_mapping(item, "revocations")
    canonical.only(document, "serial", "revoked_at", "reason", "invalid_from")
    reason, serial = canonical.text(document, "reason"), canonical.text(document, "serial")
    if reason not in {each.value for each in Reason}:
        raise InvalidDocument("reason", f"one of {', '.join(Reason)}", ascii(reason[:80]))
    if not _SERIAL.fullmatch(serial):
        raise InvalidDocument("serial", "lower-case hexadecimal", ascii(serial[:80]))
    is_dated = document.get("invalid_from") is not None
    return Revocation(
        serial=int(serial, 16),
        revoked_at=canonical.instant(document, "revoked_at"),
        reason=Reason(reason),
        invalid_from=canonical.instant(document, "invalid_from") if is_dated else None,
    )
