# SPDX-License-Identifier: Apache-2.0
"""Ask a registry again while it is away, busy or restarting; give up at once on a refusal."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeVar

from assay.signing.client import ClientError, RegistryUnreachable

T = TypeVar("T")

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 15.0
LIMIT_SECONDS = 600.0
"""How long a registry may be away before its work is given up."""
_BUSY = frozenset({"idempotency-in-progress"})
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often and how long to ask again; setting `stopped` ends every wait."""

    stopped: threading.Event = field(default_factory=threading.Event)
    first_wait_seconds: float = FIRST_WAIT_SECONDS
    limit_seconds: float = LIMIT_SECONDS

    def until_answered(self, ask: Callable[[], T]) -> T:
        """What `ask` returns once the registry answers it; raises the last failure at the limit.

        `ask` may reach the registry more than once, so it must be safe to repeat.
        """
        wait_seconds = self.first_wait_seconds
        give_up_at = time.monotonic() + self.limit_seconds
        while True:
            try:
                return ask()
            except ClientError as error:
                if not is_passing(error) or time.monotonic() + wait_seconds > give_up_at:
                    raise
                _logger.warning("%s; asking again in %.1f s", error, wait_seconds)
                if self.stopped.wait(wait_seconds):
                    raise
            wait_seconds = min(2 * wait_seconds, LONGEST_WAIT_SECONDS)


def is_passing(error: ClientError) -> bool:
    """Whether the same request may succeed later."""
    if isinstance(error, RegistryUnreachable) or error.problem in _BUSY:
        return True
    status = error.status or 0
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS
