# SPDX-License-Identifier: Apache-2.0
"""The nudge that has pending entries integrated; sweeps that ask witnesses, and that tidy up."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from . import folder, services, witnessing


@shared_task(name="ledger.integrate")
def integrate() -> None:
    """Integrates whatever is pending."""
    services.integrate()


@shared_task(name="ledger.witness")
def witness() -> None:
    """Shows the newest tree head to the witnesses that have not cosigned it."""
    witnessing.collect()


@shared_task(name="ledger.sweep")
def sweep() -> None:
    """Removes what killed writers left in the ledger's folder."""
    folder.sweep(now=timezone.now())
