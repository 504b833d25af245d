# SPDX-License-Identifier: Apache-2.0
"""The janitor of xorbs: bytes that files have, or that no shard came for, do not stay."""

from __future__ import annotations

from datetime import datetime, timedelta

from . import index

# Clients remember for three weeks what they sent, and may go on with it.
WAITS = timedelta(weeks=4)


def sweep(*, now: datetime) -> int:
    """Removes what nobody comes for any more; returns of how many xorbs."""
    index.release_forgotten(before=now - WAITS)
    count = index.drop_released()
    index.forget_empty()
    return count
