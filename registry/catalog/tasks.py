# SPDX-License-Identifier: Apache-2.0
"""The nudge that advances one checkpoint, the sweep that finds what nudges missed, and hashing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from celery import shared_task
from django.utils import timezone

from . import services
from .services import registering
from .services.waiting import or_wait


@shared_task(name="catalog.advance")
def advance(checkpoint_id: int) -> None:
    """Takes one checkpoint as far as it goes now, and others along."""
    services.advance_with_others(checkpoint_id)


@shared_task(name="catalog.sweep")
def sweep() -> None:
    """Advances what is underway, states what was taken down, gives room back, lists anew.

    None of it waits for another: a signer that is away holds up what needs it, and nothing else.
    """
    steps: dict[str, Callable[[], object]] = {
        "publishing": services.sweep,
        "stating what was taken down": services.state,
        "giving room back": partial(services.give_back, now=timezone.now()),
        "what was said of checkpoints": services.settle_evaluations,
        "listing projects anew": services.renew,
        "adding up facets": services.add_up,
    }
    for what, step in steps.items():
        or_wait(step, what)


@shared_task(name="catalog.register")
def register() -> None:
    """Tells DataCite of the DOIs that wait, and of those that changed."""
    registering.register()


# It ends by itself after minutes, but for a tensor, or a copy from a bucket, that takes longer.
@shared_task(name="catalog.hash", time_limit=4 * 3600)
def hash_waiting() -> None:
    """Hashes the tensors of large files, some minutes long; the clock starts it again."""
    services.hash_waiting()
