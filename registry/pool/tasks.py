# SPDX-License-Identifier: Apache-2.0
"""The periodic sweep of leases that ran out."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from . import services


@shared_task(name="pool.sweep")
def sweep() -> None:
    """Marks as lost the leases whose nodes are not heard of, and opens their runs again."""
    services.expire(now=timezone.now())
