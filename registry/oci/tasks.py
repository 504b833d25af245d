# SPDX-License-Identifier: Apache-2.0
"""The periodic sweep of checkpoints that no digest leads back to yet."""

from __future__ import annotations

from celery import shared_task

from . import services


@shared_task(name="oci.sweep")
def sweep() -> None:
    """A registry that was upgraded has many, any other those that nobody asked for."""
    services.sweep()
