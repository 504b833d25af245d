# SPDX-License-Identifier: Apache-2.0
"""One step of many: if it fails, what it is about waits, and holds up none of the others."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from django.db import DatabaseError

from assay.signing.errors import AssayError
from registry.api.problems import Problem

logger = logging.getLogger(__name__)

EXPECTED = (AssayError, Problem, DatabaseError, OSError)
Made = TypeVar("Made")


def or_wait(step: Callable[[], Made], what: str) -> Made | None:
    """What it made; None if it failed, which is logged: a later sweep comes by again."""
    try:
        return step()
    except EXPECTED as error:
        logger.warning("%s waits: %s", what, error)
    except Exception:  # a fault of ours in one would end every sweep at it, for all behind it
        logger.exception("%s waits", what)
    return None
