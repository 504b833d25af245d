# SPDX-License-Identifier: Apache-2.0
"""Finds the checkpoints of other projects that have tensors of one, when that one is published.

1. Of its tensors those are looked up by digest, among the files that had them first, that are few
   enough to be looked up. 2. Files lead to projects, and to the first checkpoint of each that has
them (carriers.py). 3. Of public projects, of the owner's private ones and of others' the best are
kept, so that copies that nobody sees crowd nothing out that everybody may. 4. Of each of these the
tensors are counted, all of them.

Every step is bounded, whatever is shared by however many (docs/adr/0029).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence

from django.db import OperationalError, connection, transaction

from ..content import tensors
from ..models import Checkpoint
from ..models.found import Descent

logger = logging.getLogger(__name__)

MOST_TENSORS = 2000  # looked up: those with the least digests, which are as good as drawn by lot
MOST_LOOKUPS = 100_000  # of all tensors together; each has as many files looked at as the others
MOST_FILES = 5000
MOST_CARRIERS = 1000  # projects of a file, the first
MOST_OF_PROJECT = 3  # checkpoints that are counted: files of one may have come one after another
MOST_PARENTS = 20  # of public projects, of the owner's own private ones, and of all others
STEP_SECONDS = 5
COUNTING_SECONDS = 10
MINE = """
    SELECT DISTINCT t.sha256 FROM catalog_tensor t
    JOIN catalog_tensordigests d ON d.id = t.digests_id
    JOIN catalog_file f ON f.sha256 = d.sha256 WHERE f.checkpoint_id = %(child)s
"""
CANDIDATES = f"""
    WITH mine AS MATERIALIZED ({MINE} ORDER BY t.sha256 LIMIT %(tensors)s),
    shared AS MATERIALIZED (
        SELECT held.digests_id, count(*) AS same FROM mine
        CROSS JOIN LATERAL (SELECT t.digests_id FROM catalog_tensor t
                            WHERE t.sha256 = mine.sha256 ORDER BY t.id LIMIT %(lookups)s) held
        GROUP BY held.digests_id ORDER BY same DESC, held.digests_id LIMIT %(files)s),
    parents AS (
        SELECT p.id AS project_id, k.id, sum(shared.same) AS same,
               CASE WHEN p.visibility = 'public' THEN 0
                    WHEN p.owner_id = %(owner)s THEN 1 ELSE 2 END AS kind
        FROM shared
        JOIN catalog_tensordigests d ON d.id = shared.digests_id
        CROSS JOIN LATERAL (SELECT c.project_id, c.checkpoint_id FROM catalog_carrier c
                            WHERE c.sha256 = d.sha256 AND c.names_tensors
                            ORDER BY c.id LIMIT %(carriers)s) c
        JOIN catalog_project p ON p.id = c.project_id
        JOIN catalog_checkpoint k ON k.id = c.checkpoint_id
        WHERE p.id <> %(project)s AND p.visibility <> 'pull' AND p.ended_at IS NULL
          AND k.state = 'published'
        GROUP BY p.id, k.id),
    placed AS (
        SELECT *, row_number() OVER (PARTITION BY project_id ORDER BY same DESC, id) AS place
        FROM parents),
    ranked AS (
        SELECT *, dense_rank() OVER (PARTITION BY kind ORDER BY best DESC, project_id) AS rank
        FROM (SELECT *, max(same) OVER (PARTITION BY project_id) AS best FROM placed
              WHERE place <= %(of_project)s) of_projects)
    SELECT project_id, id FROM ranked WHERE rank <= %(parents)s ORDER BY kind, rank, place
"""  # noqa: S608 - of constants alone
COUNT = f"SELECT count(*) FROM ({MINE}) mine"  # noqa: S608 - as above
SAME = f"""
    SELECT count(DISTINCT t.sha256) FROM catalog_file f
    JOIN catalog_tensordigests d ON d.sha256 = f.sha256
    JOIN catalog_tensor t ON t.digests_id = d.id
    WHERE f.checkpoint_id = %(parent)s AND t.sha256 IN ({MINE})
"""  # noqa: S608 - as above


def found(of: Checkpoint) -> Sequence[Descent]:
    """At most one for each project. Call it outside any transaction; it changes nothing."""
    if not tensors.names_any(of):
        return ()
    try:
        (all_of,) = _asked(COUNT, {"child": of.pk})[0]
        best: dict[int, tuple[int, int]] = {}
        give_up_at = time.monotonic() + COUNTING_SECONDS
        for project_id, parent_id in _asked(CANDIDATES, _limits(of, all_of)) if all_of else ():
            ((same,),) = _asked(SAME, {"child": of.pk, "parent": parent_id})
            best[project_id] = max(best.get(project_id, (0, 0)), (same, -parent_id))
            if time.monotonic() > give_up_at:
                logger.warning("not every parent of %s was counted", of)
                break
    except OperationalError as error:  # it took too long: a proof less, and no publishing held up
        logger.warning("no parents of %s were looked for to the end: %s", of, error)
        return ()
    return [
        Descent(child=of, parent_id=-parent, same=same, of=all_of)
        for same, parent in sorted(best.values(), reverse=True)
    ]


def keep(descents: Sequence[Descent]) -> None:
    """In the transaction that publishes: what is shown of it is shown from then on."""
    Descent.objects.bulk_create(descents, ignore_conflicts=True)


def _limits(of: Checkpoint, count: int) -> Mapping[str, int]:
    return {
        "child": of.pk,
        "project": of.project_id,
        "owner": of.project.owner_id,
        "tensors": MOST_TENSORS,
        "lookups": MOST_LOOKUPS // min(count, MOST_TENSORS),
        "files": MOST_FILES,
        "carriers": MOST_CARRIERS,
        "of_project": MOST_OF_PROJECT,
        "parents": MOST_PARENTS,
    }


def _asked(query: str, values: Mapping[str, int]) -> list[tuple[int, ...]]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{STEP_SECONDS}s"])
        cursor.execute(query, values)
        rows: list[tuple[int, ...]] = cursor.fetchall()
        cursor.execute("SET LOCAL statement_timeout TO DEFAULT")  # of a transaction around this
    return rows
