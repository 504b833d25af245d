# SPDX-License-Identifier: Apache-2.0
"""What changes in the pool, gathered for other apps; each noun has a module of its own."""

from __future__ import annotations

from .joining import Joined, Joining, join
from .leases import claim, complete, expire, heartbeat, release
from .losses import Point, parse_points, report
from .runs import create_run
from .submissions import Submitted, submit

__all__ = [
    "Joined",
    "Joining",
    "Point",
    "Submitted",
    "claim",
    "complete",
    "create_run",
    "expire",
    "heartbeat",
    "join",
    "parse_points",
    "release",
    "report",
    "submit",
]
