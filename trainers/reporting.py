# SPDX-License-Identifier: Apache-2.0
"""Keeps a lease and sends losses from a thread of its own, however long a step takes.

The training never waits for it: points queue up while the registry is away, and a lost lease is a
flag that the training reads between two steps.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from typing_extensions import override

from assay.signing.client import ClientError
from assay.signing.errors import InvalidDocument

from .errors import LeaseLost
from .loop import LossPoint
from .patience import is_passing
from .pool import MAX_POINTS, Lease, Pool

REPORT_SECONDS = 1.0
BEATS_PER_LEASE = 4
MAX_QUEUED_POINTS = 100_000
_logger = logging.getLogger(__name__)


class Reporter(threading.Thread):
    """Heartbeats and losses of one lease. Start it, then end it with `finish`."""

    def __init__(self, pool: Pool, lease: Lease, step: int) -> None:
        super().__init__(name=f"reporter-{lease.id}", daemon=True)
        self._pool = pool
        self._lease = lease
        self.step = step
        self._points: deque[LossPoint] = deque(maxlen=MAX_QUEUED_POINTS)
        self._is_over = threading.Event()
        self._is_lost = threading.Event()

    @property
    def is_lost(self) -> bool:
        """Whether the lease is another's by now."""
        return self._is_lost.is_set()

    def add(self, point: LossPoint) -> None:
        """Send a point with the next report."""
        self.step = point.step
        self._points.append(point)

    def finish(self) -> None:
        """Send what is left, once, and end the thread."""
        self._is_over.set()
        self.join()

    @override
    def run(self) -> None:
        beat_seconds = self._lease.seconds / BEATS_PER_LEASE
        beat_at = time.monotonic() + beat_seconds
        while not self._is_over.wait(REPORT_SECONDS) and not self.is_lost:
            if time.monotonic() >= beat_at and self._try(self._beat):
                beat_at = time.monotonic() + beat_seconds
            self._try(self._report)
        if not self.is_lost:
            self._try(self._report)

    def _try(self, act: Callable[[], None]) -> bool:
        """Whether the registry took it; if it is only away, it is asked again later."""
        try:
            act()
        except LeaseLost as error:
            _logger.warning("%s", error)
            self._is_lost.set()
            return False
        except (ClientError, InvalidDocument) as error:
            _logger.warning("report: %s", error)
            return False
        return True

    def _beat(self) -> None:
        self._pool.beat(self._lease, self.step)

    def _report(self) -> None:
        while self._points:
            points = [self._points[index] for index in range(min(len(self._points), MAX_POINTS))]
            try:
                self._pool.report(self._lease, points)
            except ClientError as error:
                if is_passing(error):
                    raise
                _logger.warning("the registry refused %d losses: %s", len(points), error)
            for _ in points:
                self._points.popleft()
