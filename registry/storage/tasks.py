# SPDX-License-Identifier: Apache-2.0
"""The periodic sweeps of abandoned uploads and of files that no row names; the disk is watched."""

from __future__ import annotations

import logging

from celery import shared_task
from django.utils import timezone

from . import services, space

logger = logging.getLogger(__name__)


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


@shared_task(name="storage.sweep_orphans")
def sweep_orphans() -> None:
    """Removes what was to be removed when a process died."""
    services.sweep_orphans(now=timezone.now())
