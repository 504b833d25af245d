# SPDX-License-Identifier: Apache-2.0
"""The periodic sweep of what a crash, a lost generation program or an absent signer left behind."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from . import services
from .batches import services as batches


@shared_task(name="outputs.sweep")
def sweep() -> None:
    """Requeues lost leases, queues samples of new checkpoints, signs what has its content."""
    services.requeue_lost(now=timezone.now())
    services.queue_samples()
    for output_id in services.unsigned():
        services.advance(output_id)
    for batch_id in batches.unsigned():
        batches.advance(batch_id)
