# SPDX-License-Identifier: Apache-2.0
"""The periodic sweeps of abandoned uploads, and of files that no row names."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from . import services


@shared_task(name="storage.sweep")
def sweep() -> None:
    """Removes parts of uploads that died."""
    services.sweep(now=timezone.now())


@shared_task(name="storage.sweep_orphans")
def sweep_orphans() -> None:
    """Removes what was to be removed when a process died."""
    services.sweep_orphans(now=timezone.now())
