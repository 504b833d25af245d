# SPDX-License-Identifier: Apache-2.0
"""The periodic sweep of tokens that nobody would accept any more."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from . import services


@shared_task(name="oidc.sweep")
def sweep() -> None:
    """Forgets what is too old."""
    services.sweep(now=timezone.now())
