# SPDX-License-Identifier: Apache-2.0
"""A monitor: follows a ledger by its files, and finds out if it ever showed another history.

`memory` keeps the newest signed head that was verified, `following` goes from there to the one
that the ledger shows now. What the entries say is left to those who read them.
"""

from __future__ import annotations

from .errors import MonitorStateBroken
from .following import Progress, follow
from .memory import Memory

__all__ = ["Memory", "MonitorStateBroken", "Progress", "follow"]
