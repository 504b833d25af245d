# SPDX-License-Identifier: Apache-2.0
"""Ask a registry again for what may pass: it is away, busy, or restarting. A refusal is final."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from .errors import ClientError, RegistryUnreachable

T = TypeVar("T")

ATTEMPTS = 6
FIRST_PAUSE_SECONDS = 0.5  # doubled after each attempt: 16 s in all
LONGEST_PAUSE_SECONDS = 15.0
RETRIED = frozenset({429, 500, 502, 503, 504})  # RFC 9110: what another attempt may mend
IN_PROGRESS = "idempotency-in-progress"
"""What a registry says to a request whose first sending it is still at work on."""


def repeatedly(
    attempt: Callable[[], T], *, wait: Callable[[float], bool], attempts: int | None = None
) -> T:
    """What an attempt returns, which is safe to repeat; raises the ClientError of the last one.

    `wait` takes seconds, and says whether to give up.
    """
    left, pause = (attempts or ATTEMPTS) - 1, FIRST_PAUSE_SECONDS
    while True:
        try:
            return attempt()
        except ClientError as error:
            if not left or not is_passing(error) or wait(pause):
                raise
        left, pause = left - 1, min(2 * pause, LONGEST_PAUSE_SECONDS)


def is_passing(error: ClientError) -> bool:
    """Whether the same request may succeed later."""
    if isinstance(error, RegistryUnreachable) or error.problem == IN_PROGRESS:
        return True
    return error.status in RETRIED
