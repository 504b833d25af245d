# SPDX-License-Identifier: Apache-2.0
"""Which checkpoint of a project a tag names, or a digest, and what clients of OCI see of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TypeVar

from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.db.models.functions import Collate

from assay.signing.manifest import FileEntry
from registry.catalog import queries as catalog
from registry.catalog.queries import Checkpoint, File, Project, State, exporting, revisions
from registry.catalog.queries.revisions import MAIN
from registry.conduct import queries as conduct

from .errors import ManifestUnknown
from .images import Image
from .models import Named

LATEST = "latest"  # what clients ask for whose people name no tag
Row = TypeVar("Row", bound=Model)
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")  # distribution-spec, pulling manifests
BYTEWISE = "C"  # the collation in which lists of tags are ordered


def tagged(project: Project, tag: str) -> Checkpoint:
    """The checkpoint that a branch, a tag, an oid or its own name stands for."""
    is_main = tag == LATEST and revisions.ref(project, LATEST) is None
    found = revisions.find(project, MAIN if is_main else tag).checkpoint
    if found is None:
        raise ManifestUnknown(f"expected a published checkpoint, but {project} has none yet")
    return found


def named(project: Project, sha256: str) -> Checkpoint | None:
    """The published checkpoint that is known to have a document of this digest."""
    known = Named.objects.filter(
        sha256=sha256, checkpoint__project=project, checkpoint__state=State.PUBLISHED
    )
    keys = list(known.values_list("checkpoint_id", flat=True)[:1])
    return catalog.published_in(project).filter(pk__in=keys).first()


def under(project: Project, sha256: str) -> Checkpoint | None:
    """A published checkpoint whose conduct document has this digest."""
    version = conduct.versions().filter(sha256=sha256).first()
    if version is None:
        return None
    return catalog.published_in(project).filter(conduct=version).first()


def unnamed(which: Q, *, limit: int) -> list[Checkpoint]:
    """Published checkpoints whose documents' digests lead nowhere yet."""
    kept = Named.objects.filter(checkpoint=OuterRef("pk"))
    rows = Checkpoint.objects.select_related(*catalog.PARTS).filter(which, state=State.PUBLISHED)
    return list(rows.filter(~Exists(kept)).order_by("pk")[:limit])


def newest(project: Project, *, limit: int) -> list[int]:
    """The keys of the project's last checkpoints, however far they are."""
    rows = Checkpoint.objects.filter(project=project).order_by("-id")
    return list(rows.values_list("pk", flat=True)[:limit])


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


def image(of: Checkpoint) -> Image:
    """What its documents are made of."""
    signature = catalog.sigstore(of) or catalog.signature(of)
    return Image(
        files=catalog.manifest(of),
        signature=None if signature is None else _entry(signature),
        conduct=catalog.conduct_of(of),
        policy=conduct.document(of.conduct),
        boms=cache(lambda: _boms(of)),
    )


def _boms(of: Checkpoint) -> Mapping[str, bytes]:
    return {name: text.encode() for name, text in exporting.stated(of).items()}


def _names(rows: QuerySet[Row], after: str, limit: int) -> list[str]:
    named = rows.annotate(tag=Collate("name", BYTEWISE)).filter(tag__gt=after)
    tags = named.filter(name__regex=f"^{TAG.pattern}$").order_by("tag")
    return list(tags.values_list("tag", flat=True)[:limit])


def _entry(of: File) -> FileEntry:
    return FileEntry(name=of.name, sha256=of.sha256, size=of.size)
