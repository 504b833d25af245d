# SPDX-License-Identifier: Apache-2.0
"""The periodic sweep of answers that are remembered no longer."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from . import services


@shared_task(name="idempotency.sweep")
def sweep() -> None:
    """Removes attempts older than a day."""
    services.sweep(now=timezone.now())
