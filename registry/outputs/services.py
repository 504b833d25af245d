# SPDX-License-Identifier: Apache-2.0
"""What changes in outputs, gathered for other apps; each noun has a module of its own."""

from __future__ import annotations

from .asking import Assertion, Request, ask, assert_content, queue_samples
from .generating import complete, fail, lease, requeue_lost
from .signing import advance, unsigned
from .waiting import for_an_end, for_work

__all__ = [
    "Assertion",
    "Request",
    "advance",
    "ask",
    "assert_content",
    "complete",
    "fail",
    "for_an_end",
    "for_work",
    "lease",
    "queue_samples",
    "requeue_lost",
    "unsigned",
]
