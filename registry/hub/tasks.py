# SPDX-License-Identifier: Apache-2.0
"""The periodic sweep of what was sent by Xet and is of no use any more."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from .xet import sweeping


@shared_task(name="hub.sweep")
def sweep() -> None:
    """Removes bytes that files have besides, and those that no shard came for."""
    sweeping.sweep(now=timezone.now())
