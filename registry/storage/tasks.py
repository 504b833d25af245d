# SPDX-License-Identifier: Apache-2.0
"""The periodic sweeps of abandoned uploads and of files that no row names; the disk is watched."""

from __future__ import annotations

import logging
from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from . import copies, scrubbing, services, space
from .errors import ScrubRunning

logger = logging.getLogger(__name__)

# A sector that rots unread for a week is one that a second copy still has.
SCRUB_EVERY = timedelta(days=7)
# Read at once: 20 s at 200 MB/s. The largest blob that there can be takes 250 s, below the time
# that a task has (CELERY_TASK_TIME_LIMIT). Ten terabytes take their week and a day.
SCRUB_BYTES = 4 * 1024**3


@shared_task(name="storage.watch")
def watch() -> None:
    """Says in the log, for as long as it is so, that the disk is too full for uploads."""
    now = space.room()
    if now.is_short:
        logger.warning(
            "uploads are refused: %d bytes are free on the disk of the blobs, and %d are to be",
            now.free_bytes,
            now.reserve_bytes,
        )


@shared_task(name="storage.sweep")
def sweep() -> None:
    """Removes parts of uploads that died."""
    services.sweep(now=timezone.now())


@shared_task(name="storage.scrub")
def scrub() -> None:
    """A piece of the pass over all blobs; a new pass begins a week after the last one ended."""
    ended_at = scrubbing.last_ended()
    is_due = ended_at is None or timezone.now() - ended_at > SCRUB_EVERY
    if not is_due and not scrubbing.is_underway():
        return
    try:
        scrubbing.scrub(most_bytes=SCRUB_BYTES)
    except ScrubRunning:
        logger.info("another process reads the blobs again at this moment")
    except OSError as error:
        logger.warning("the blobs are not read again now: %s", error)


@shared_task(name="storage.catch_up")
def catch_up() -> None:
    """Writes the second copies that could not be written when their blobs came."""
    if count := copies.catch_up():
        logger.info("%d second copies were written that were missing", count)


@shared_task(name="storage.sweep_orphans")
def sweep_orphans() -> None:
    """Removes what was to be removed when a process died."""
    services.sweep_orphans(now=timezone.now())
