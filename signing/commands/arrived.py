# SPDX-License-Identifier: Apache-2.0
"""How many bytes have come, or gone: counted by several threads, read by the one that shows it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass(slots=True)
class Arrived:
    """How many bytes have come; told by several threads."""

    bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def more(self, number: int) -> None:
        """Count some; those that are asked for again are taken back."""
        with self._lock:
            self.bytes += number
