# SPDX-License-Identifier: Apache-2.0
"""Counts downloads: seen in memory where files are streamed, written down every ten seconds.

A download is a GET of one file from its beginning, of each checkpoint the same: its configuration,
else its first weights, else its first file. So a HEAD before it, the other files, a resumed rest
and a look at its first bytes do not count, and a checkpoint in many shards counts once. Nobody
waits for it, and nobody's address is looked at; a process that is killed forgets what it saw in its
last seconds.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass

from django.db import DatabaseError, connection
from django.db.models import F

from assay.signing.manifest import SIGNATURE_NAMES

from ..content.contents import WEIGHTS
from ..models import Checkpoint, File, State
from ..models.found import Listing

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 10
MOST_KEPT = 10_000  # files, beyond which others are not counted: the database is long away
CONFIGURATION = "config.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A file whose beginning was sent to somebody."""

    owner: str
    project: str
    checkpoint: str
    path: str


_seen: Counter[Fetched] = Counter()


def note(fetched: Fetched) -> None:
    """In the event loop: remember it, and see to it that it is written down."""
    if not _seen:
        loop = asyncio.get_running_loop()
        loop.call_later(FLUSH_SECONDS, lambda: loop.create_task(asyncio.to_thread(flush)))
    if fetched in _seen or len(_seen) < MOST_KEPT:
        _seen[fetched] += 1


def flush() -> None:
    """Write down what was seen; what cannot be is forgotten, as a count is worth no trouble."""
    seen = _seen.copy()
    _seen.clear()
    try:
        for project_id, count in sorted(_by_project(seen).items()):
            rows = Listing.objects.filter(pk=project_id)
            rows.update(downloads=F("downloads") + count)
    except DatabaseError as error:
        logger.warning("%d downloads are not counted: %s", seen.total(), error)
    finally:
        connection.close()  # of a thread that ends


def _by_project(seen: Counter[Fetched]) -> Counter[int]:
    found: Counter[int] = Counter()
    for fetched, count in seen.items():
        checkpoint = Checkpoint.objects.filter(
            state=State.PUBLISHED,
            project__owner__name=fetched.owner,
            project__name=fetched.project,
            name=fetched.checkpoint,
        ).first()
        if checkpoint is not None and fetched.path == counted(checkpoint):
            found[checkpoint.project_id] += count
    return found


def counted(of: Checkpoint) -> str:
    """The file by which downloads of a checkpoint are counted."""
    files = File.objects.filter(checkpoint=of).exclude(name__in=SIGNATURE_NAMES)
    names = list(files.order_by("name").values_list("name", flat=True))
    weights = [name for name in names if name.lower().endswith(WEIGHTS)]
    return CONFIGURATION if CONFIGURATION in names else (weights or names)[0]
