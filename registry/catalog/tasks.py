# SPDX-License-Identifier: Apache-2.0
"""The nudge that advances one checkpoint, and the sweep that finds what nudges missed."""

from __future__ import annotations

from celery import shared_task

from . import services


@shared_task(name="catalog.advance")
def advance(checkpoint_id: int) -> None:
    """Takes one checkpoint as far as it goes now, and others along."""
    services.advance_with_others(checkpoint_id)


@shared_task(name="catalog.sweep")
def sweep() -> None:
    """Advances everything that is underway, and lists anew what an older version listed."""
    services.sweep()
    services.renew()
    services.add_up()
