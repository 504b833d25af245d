# SPDX-License-Identifier: Apache-2.0
"""Which checkpoint of a project a tag names, and which of its documents a digest."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import TypeVar

from django.db.models import Model, QuerySet
from django.db.models.functions import Collate

from assay.signing.manifest import FileEntry
from registry.catalog import queries as catalog
from registry.catalog.queries import Checkpoint, File, Project, State, revisions
from registry.catalog.queries.revisions import MAIN
from registry.conduct import queries as conduct

from .errors import ManifestUnknown
from .images import Image

LATEST = "latest"  # what clients ask for whose people name no tag
Row = TypeVar("Row", bound=Model)
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")  # distribution-spec, pulling manifests
REMEMBERED = 10_000  # half a kilobyte each
BYTEWISE = "C"  # the collation in which lists of tags are ordered


def tagged(project: Project, tag: str) -> Image:
    """The checkpoint that a branch, a tag, an oid or its own name stands for."""
    is_main = tag == LATEST and revisions.ref(project, LATEST) is None
    found = revisions.find(project, MAIN if is_main else tag).checkpoint
    if found is None:
        raise ManifestUnknown(f"expected a published checkpoint, but {project} has none yet")
    return _image(found)


def having(project: Project, sha256: str) -> Image | None:
    """The published checkpoint one of whose documents has this digest.

    Nothing leads back from a digest to what it is of, so each checkpoint's are made once in each
    process, and remembered.
    """
    rows = catalog.published_in(project)
    for row in rows.values_list("pk", "manifest_sha256", "published_at"):
        if sha256 in _digests(*row):
            return _image(rows.get(pk=row[0]))
    return None


def file(project: Project, sha256: str) -> File | None:
    """A file of one of the project's published checkpoints, or a signature beside one."""
    rows = File.objects.filter(checkpoint__project=project, checkpoint__state=State.PUBLISHED)
    return rows.filter(sha256=sha256).first()


def tags(project: Project, *, after: str, limit: int) -> list[str]:
    """Names of checkpoints in the order of their bytes; names with a `/` are no tags."""
    refs, checkpoints = revisions.refs(project), catalog.published_in(project)
    found = {*_names(refs, after, limit), *_names(checkpoints, after, limit)}
    if after < LATEST and revisions.ref(project, MAIN) is not None:
        found.add(LATEST)
    return sorted(found)[:limit]


def _names(rows: QuerySet[Row], after: str, limit: int) -> list[str]:
    named = rows.annotate(tag=Collate("name", BYTEWISE)).filter(tag__gt=after)
    tags = named.filter(name__regex=f"^{TAG.pattern}$").order_by("tag")
    return list(tags.values_list("tag", flat=True)[:limit])


@lru_cache(maxsize=REMEMBERED)
def _digests(pk: int, manifest_sha256: str, published_at: datetime) -> frozenset[str]:
    """What is published is never changed; the arguments behind the first say which row it is."""
    del manifest_sha256, published_at
    image = _image(Checkpoint.objects.select_related(*catalog.PARTS).get(pk=pk))
    return frozenset(document.sha256 for document in image.documents())


def _image(of: Checkpoint) -> Image:
    signature = catalog.sigstore(of) or catalog.signature(of)
    return Image(
        files=catalog.manifest(of),
        signature=None if signature is None else _entry(signature),
        conduct=catalog.conduct_of(of),
        policy=conduct.document(of.conduct),
    )


def _entry(of: File) -> FileEntry:
    return FileEntry(name=of.name, sha256=of.sha256, size=of.size)
