# SPDX-License-Identifier: Apache-2.0
"""The sweep that passes on what happened, and sends what is due."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from . import delivering, gathering


@shared_task(name="notices.sweep")
def sweep() -> None:
    """Everything that happened becomes deliveries, and those that are due are sent."""
    gathering.gather()
    delivering.deliver()


@shared_task(name="notices.tidy")
def tidy() -> None:
    """Forgets what came to its end a month ago."""
    delivering.tidy(now=timezone.now())
