# SPDX-License-Identifier: Apache-2.0
"""The nudge that carries imports out, which the clock sends, too."""

from __future__ import annotations

from celery import shared_task

from . import services


# One file may take longer than other tasks may; the program that converts has a limit of its own.
@shared_task(name=services.CARRY_OUT, time_limit=2 * 3600)
def carry_out() -> None:
    """Converts what waits."""
    services.carry_out()
