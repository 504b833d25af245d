# SPDX-License-Identifier: Apache-2.0
"""The nudge that has pending entries integrated, for statements that nobody waits for."""

from __future__ import annotations

from celery import shared_task

from . import services


@shared_task(name="ledger.integrate")
def integrate() -> None:
    """Integrates whatever is pending."""
    services.integrate()
