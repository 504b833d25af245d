# SPDX-License-Identifier: Apache-2.0
"""The nudge that advances one checkpoint, the sweep that finds what nudges missed, and hashing."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from . import services
from .services import registering


@shared_task(name="catalog.advance")
def advance(checkpoint_id: int) -> None:
    """Takes one checkpoint as far as it goes now, and others along."""
    services.advance_with_others(checkpoint_id)


@shared_task(name="catalog.sweep")
def sweep() -> None:
    """Advances what is underway, states what was taken down, gives room back, lists anew."""
    services.sweep()
    services.state()
    services.give_back(now=timezone.now())
    services.settle_evaluations()
    services.renew()
    services.add_up()


@shared_task(name="catalog.register")
def register() -> None:
    """Tells DataCite of the DOIs that wait, and of those that changed."""
    registering.register()


# It ends by itself after minutes, but for a tensor, or a copy from a bucket, that takes longer.
@shared_task(name="catalog.hash", time_limit=4 * 3600)
def hash_waiting() -> None:
    """Hashes the tensors of large files, some minutes long; the clock starts it again."""
    services.hash_waiting()
