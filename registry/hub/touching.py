# SPDX-License-Identifier: Apache-2.0
"""Which commit changed a file last: what clients ask for by `expand`, and date files by."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import takewhile

from registry.catalog import queries as catalog
from registry.catalog.queries import revisions
from registry.catalog.queries.revisions import Found, Revision

from .files import RepoFile

LOOKED_AT = 200  # revisions, the newest: of what nobody has touched since then nothing is said
MOST_FILES = 100  # at once


def last(of: Found, files: Collection[RepoFile]) -> Mapping[str, Revision]:
    """By path, of at most MOST_FILES files of a revision; in as many queries always."""
    wanted = {file.path: file.sha256 for file in list(files)[:MOST_FILES]}
    past = revisions.history(of, limit=LOOKED_AT + 1)
    had = catalog.digests_in({each.checkpoint_id for each in past}, wanted)
    found = {path: _first(past, had, path, sha256) for path, sha256 in wanted.items()}
    return {path: revision for path, revision in found.items() if revision is not None}


def _first(
    past: Sequence[Revision], had: Mapping[tuple[int, str], str], path: str, sha256: str
) -> Revision | None:
    """The oldest of those in a row, from the newest on, that have these very bytes there."""

    def has_it(revision: Revision) -> bool:
        return had.get((revision.checkpoint_id, path)) == sha256

    same = list(takewhile(has_it, past))
    return same[-1] if 0 < len(same) <= LOOKED_AT else None
