# SPDX-License-Identifier: Apache-2.0
"""Lists projects anew whose row an older version made, and reads what it had not kept."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from django.db import DatabaseError, transaction

from registry.api.problems import Problem
from registry.storage import services as storage

from .. import queries
from ..content import cards, formats, inspecting
from ..content.submission import Found
from ..models import MAIN, Checkpoint, Project
from ..models.found import Inspection
from ..queries import revisions
from . import listings, moving

logger = logging.getLogger(__name__)

AT_ONCE = 500  # some seconds of a sweep
EXPECTED = (Problem, DatabaseError, OSError, RuntimeError)  # of a process that reads files, too
INSPECTED = frozenset({".safetensors", ".json"})  # what there can be anything to say about


def renew() -> int:
    """Each in a transaction of its own; how many there were. Those that cannot be are left."""
    count = 0
    for project_id in listings.stale(AT_ONCE):
        try:
            _renew(Project.objects.get(pk=project_id))
            count += 1
        except EXPECTED as error:
            logger.warning("project %d is not listed anew: %s", project_id, error)
    return count


def _renew(project: Project) -> None:
    head = revisions.ref(project, MAIN)
    if head is not None:
        _read_again(head.revision.checkpoint)
    with transaction.atomic():
        moving.hold(project)
        listings.again(project)


def _read_again(of: Checkpoint) -> None:
    """What is kept of a checkpoint since somebody goes by it; a file that is lost stays unread."""
    inspecting.keep(tuple(_inspected(of)))
    if of.front_matter is None:
        said = _card(of)
        Checkpoint.objects.filter(pk=of.pk).update(front_matter=said)


def _card(of: Checkpoint) -> object:
    for file in queries.files(of):
        if file.name.lower() == formats.CARD_NAME:
            try:
                with storage.open_blob(file.sha256) as content:
                    return cards.read(content.read().decode("utf-8"))["front_matter"]
            except (Problem, formats.Refused) as error:
                logger.warning("the card of %s is not read: %s", of.full_name, error)
    return {}


def _inspected(of: Checkpoint) -> Iterator[Found]:
    files = list(queries.files(of))
    known = Inspection.objects.in_bulk({file.sha256 for file in files})
    for file in files:
        if formats.ending(file.name) not in INSPECTED or file.sha256 in known:
            continue
        try:
            with storage.local(file.sha256) as path:
                yield Found(sha256=file.sha256, is_=formats.check(file.name, path))
        except (Problem, formats.Refused) as error:
            logger.warning("%s of %s is not inspected: %s", file.name, of.full_name, error)
