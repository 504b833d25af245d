# SPDX-License-Identifier: Apache-2.0
"""Which project published a file of weights, and in which checkpoint first: one row, for ever.

A file may be in a hundred thousand revisions; who asks where else it is looks at projects.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from assay.signing.statements import CHECKPOINT_V2

from ..content import tensors
from ..content.contents import WEIGHTS
from ..models import Checkpoint, File, State
from ..models.found import Carrier

NEXT = """
    SELECT DISTINCT ON (f.sha256, c.names_tensors) f.sha256, c.names_tensors, k.id
    FROM unnest(%s::text[], %s::bool[]) AS c (sha256, names_tensors)
    JOIN catalog_file f ON f.sha256 = c.sha256
    JOIN catalog_checkpoint k ON k.id = f.checkpoint_id
    JOIN ledger_statement s ON s.id = k.statement_id
    WHERE k.project_id = %s AND k.state = %s
      AND c.names_tensors = (s.predicate_type = %s)
    ORDER BY f.sha256, c.names_tensors, k.published_at, k.id
"""


def weights(of: Checkpoint) -> Sequence[File]:
    """The checkpoint's files of weights, by name."""
    files = File.objects.filter(checkpoint=of).order_by("name")
    return [file for file in files if file.name.lower().endswith(WEIGHTS)]


def add(of: Checkpoint) -> None:
    """In the transaction that publishes it. What its project published before, stays first."""
    names_tensors = tensors.names_any(of)
    digests = sorted({file.sha256 for file in weights(of)})  # or two would lock each other out
    _add(of.project_id, [(sha256, names_tensors, of.pk) for sha256 in digests])


def pass_on(of: Checkpoint) -> None:
    """It is published no more: the project's next with a file is the first one, if there is one."""
    gone = Carrier.objects.filter(checkpoint=of)
    kinds = list(gone.values_list("sha256", "names_tensors"))
    gone.delete()
    with connection.cursor() as cursor:
        digests, names_tensors = [each for each, _ in kinds], [each for _, each in kinds]
        about = (of.project_id, State.PUBLISHED.value, CHECKPOINT_V2)
        cursor.execute(NEXT, [digests, names_tensors, *about])
        _add(of.project_id, cursor.fetchall())


def _add(project_id: int, rows: Sequence[tuple[str, bool, int]]) -> None:
    Carrier.objects.bulk_create(
        (
            Carrier(
                sha256=sha256,
                project_id=project_id,
                names_tensors=names_tensors,
                checkpoint_id=checkpoint_id,
            )
            for sha256, names_tensors, checkpoint_id in rows
        ),
        ignore_conflicts=True,
    )
