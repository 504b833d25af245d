# SPDX-License-Identifier: Apache-2.0
"""Nudges: after commit, tell the workers by name that a row waits for them.

A nudge may get lost with the broker; the row stays, and the periodic sweep of its app finds it.
"""

from __future__ import annotations

import functools
import logging

from celery import Celery
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


@functools.cache
def app() -> Celery:
    """The Celery application: a sender here, the workers' whole app in registry/celery.py."""
    celery = Celery("registry", set_as_current=True)
    celery.config_from_object("django.conf:settings", namespace="CELERY")
    return celery


def nudge(task_name: str, *args: str | int) -> None:
    """Sends the task with these ids once the surrounding transaction has committed."""
    transaction.on_commit(functools.partial(_send, task_name, args))


def _send(task_name: str, args: tuple[str | int, ...]) -> None:
    try:
        app().send_task(task_name, args=args, retry=False)
    except OperationalError as error:
        logger.warning(
            "nudge %s%r is lost, the sweep will find its row: %s", task_name, args, error
        )
