# SPDX-License-Identifier: Apache-2.0
"""The workers' Celery application (`celery -A registry.celery worker`): every app's tasks.

Each of its processes works on one task at a time, with one connection that it keeps: a new one for
each task would cost PostgreSQL more than the task (its caches start empty).
"""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry.settings")

from celery.signals import task_prerun
from django.db import connections

from registry.wakeups import app as celery_app

app = celery_app()
app.autodiscover_tasks()


@task_prerun.connect(weak=False)
def keep_what_works(**_event: object) -> None:
    """Closes a connection that broke since the last task; the next query opens another."""
    for each in connections.all(initialized_only=True):
        if each.connection is not None and not each.is_usable():
            each.close()
