# SPDX-License-Identifier: Apache-2.0
"""The periodic sweep that keeps revocation lists current."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from . import revocations


@shared_task(name="authority.sweep")
def sweep() -> None:
    """Renews what is due."""
    revocations.sweep(now=timezone.now())
