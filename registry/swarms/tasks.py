# SPDX-License-Identifier: Apache-2.0
"""Hashes the pieces of a large file; whoever asks for them again finds a nudge that was lost."""

from __future__ import annotations

import logging

from celery import shared_task

from registry.api.problems import Problem

from . import services

logger = logging.getLogger(__name__)


@shared_task(name=services.TASK)
def make(sha256: str) -> None:
    """One file, read from end to end."""
    try:
        services.make(sha256)
    except Problem as problem:
        logger.warning("no pieces of sha256:%s: %s", sha256, problem)
