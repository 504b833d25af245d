# SPDX-License-Identifier: Apache-2.0
"""What changes in outputs, gathered for other apps; each noun has a module of its own."""

from __future__ import annotations

from .asking import Assertion, Request, ask, ask_by_name, assert_content, queue_samples
from .generating import complete, fail, lease, requeue_lost
from .signing import advance, unsigned
from .waiting import for_an_end, for_work, give_back

__all__ = [
    "Assertion",
    "Request",
    "advance",
    "ask",
    "ask_by_name",
    "assert_content",
    "complete",
    "fail",
    "for_an_end",
    "for_work",
    "give_back",
    "lease",
    "queue_samples",
    "requeue_lost",
    "unsigned",
]
