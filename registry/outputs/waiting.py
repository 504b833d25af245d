# SPDX-License-Identifier: Apache-2.0
"""Waits for rows to change: for a text by whoever asked, for work by the generation program.

A waiting request looks again and again, and gives its database connection back in between: held,
ten waiting requests would be all that the web process has (DATABASES' pool). Each request has a
thread of its own under ASGI, so that sleeping holds nobody up.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import TypeVar

from django.db import connection
from django.utils import timezone

from registry.accounts.queries import User

from . import asking, generating, queries
from .models import ENDS, Output

T = TypeVar("T")

ANSWER_SECONDS = 30.0  # docs/spec/http.md
WORK_SECONDS = 10.0  # docs/spec/http.md
LOOK_SECONDS = 0.1
# Each published checkpoint gets its sample within this, whether or not the sweep runs.
SAMPLES_SECONDS = 1.0


def for_an_end(output_id: uuid.UUID, *, seconds: float) -> Output:
    """The output as soon as it is signed or has failed, or as it is when the time is over."""
    _until(lambda: _ended(output_id), seconds)
    return queries.outputs().get(pk=output_id)


def for_work(*, holder: User, node: str, seconds: float) -> Output | None:
    """A leased request as soon as there is one; None when the time is over."""
    samples_at = time.monotonic()

    def look() -> Output | None:
        nonlocal samples_at
        if time.monotonic() >= samples_at:
            samples_at = time.monotonic() + SAMPLES_SECONDS
            asking.queue_samples()
        if not generating.is_anything_waiting():
            return None
        return generating.lease(holder=holder, node=node, now=timezone.now())

    return _until(look, seconds)


def give_back() -> None:
    """The connection, for others to use; inside a transaction there is nothing to give back."""
    if not connection.in_atomic_block:
        connection.close()


def _ended(output_id: uuid.UUID) -> bool | None:
    """True, or None as long as it goes on."""
    return Output.objects.filter(pk=output_id, state__in=ENDS).exists() or None


def _until(look: Callable[[], T | None], seconds: float) -> T | None:
    give_up_at = time.monotonic() + seconds
    while True:
        found = look()
        left_seconds = give_up_at - time.monotonic()
        if found is not None or left_seconds <= 0:
            return found
        give_back()
        time.sleep(min(LOOK_SECONDS, left_seconds))
