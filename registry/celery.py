# SPDX-License-Identifier: Apache-2.0
"""The workers' Celery application (`celery -A registry.celery worker`): every app's tasks."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry.settings")

from registry.wakeups import app as celery_app

app = celery_app()
app.autodiscover_tasks()
