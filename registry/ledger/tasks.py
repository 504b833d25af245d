# SPDX-License-Identifier: Apache-2.0
"""The nudge that has pending entries integrated, and the sweep that asks the witnesses."""

from __future__ import annotations

from celery import shared_task

from . import services, witnessing


@shared_task(name="ledger.integrate")
def integrate() -> None:
    """Integrates whatever is pending."""
    services.integrate()


@shared_task(name="ledger.witness")
def witness() -> None:
    """Shows the newest tree head to the witnesses that have not cosigned it."""
    witnessing.collect()
