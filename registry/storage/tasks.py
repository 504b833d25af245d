# SPDX-License-Identifier: Apache-2.0
"""The periodic sweep of abandoned uploads."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from . import services


@shared_task(name="storage.sweep")
def sweep() -> None:
    """Removes parts of uploads that died."""
    services.sweep(now=timezone.now())
