# SPDX-License-Identifier: Apache-2.0
"""The periodic sweeps: codes that nobody exchanged, and what TUF distributes."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from . import distributing, vouching


@shared_task(name="sigstore.sweep")
def sweep() -> None:
    """Forgets what is too old."""
    vouching.sweep(now=timezone.now())


@shared_task(name="sigstore.distribute")
def distribute() -> None:
    """Distributes the trusted root anew, if it is due."""
    distributing.refresh(now=timezone.now())
