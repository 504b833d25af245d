# SPDX-License-Identifier: Apache-2.0
"""The periodic sweep of codes that nobody exchanged."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from . import vouching


@shared_task(name="sigstore.sweep")
def sweep() -> None:
    """Forgets what is too old."""
    vouching.sweep(now=timezone.now())
