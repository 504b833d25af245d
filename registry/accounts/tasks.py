# SPDX-License-Identifier: Apache-2.0
"""The periodic sweep of failed sign-ins and sessions that are over."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from . import services


@shared_task(name="accounts.sweep")
def sweep() -> None:
    """Forgets what counts no longer."""
    services.sweep(now=timezone.now())
