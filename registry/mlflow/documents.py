# SPDX-License-Identifier: Apache-2.0
"""Projects as registered models, checkpoints as their versions.

A model's name may hold no `/` there: `owner/project` is `owner.project`, and owners have no dot in
theirs. A version is a number there: the checkpoint's row, which it keeps for ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings

from assay.signing.digests import as_id
from registry.catalog.queries import Checkpoint, Project
from registry.catalog.queries.revisions import Ref

from .errors import Unsupported

DOT = "."
SCHEME = "mlflow-artifacts:/"
ALIAS = re.compile(r"[\w-]+", re.ASCII)  # of refs, those that are aliases there
READY, NO_STAGE = "READY", "None"


def name_of(project: Project) -> str:
    """As MLflow writes it."""
    return f"{project.owner.name}{DOT}{project.name}"


def owner_and_name(written: str) -> tuple[str, str]:
    """As we write it; raises Unsupported for what cannot be a project's."""
    owner, dot, name = written.partition(DOT)
    if not (owner and dot and name):
        raise Unsupported(f"expected a name like owner.project, found {written[:160]!a}")
    return owner, name


def model(of: Project, newest: Checkpoint | None, refs: Iterable[Ref] = ()) -> dict[str, object]:
    """A registered model, with its newest version and what refs call its versions."""
    moved_at = newest.published_at if newest else None
    body: dict[str, object] = {
        "name": name_of(of),
        "creation_timestamp": _milliseconds(of.created_at),
        "last_updated_timestamp": _milliseconds(moved_at or of.created_at),
        "description": of.summary or of.title,
        "tags": _tags({"url": settings.PUBLIC_URL + of.path}),
        "latest_versions": [] if newest is None else [version(newest)],
        "aliases": [
            {"alias": ref.name, "version": number(ref.revision.checkpoint)}
            for ref in refs
            if ALIAS.fullmatch(ref.name)
        ],
    }
    return body


def version(of: Checkpoint, aliases: Iterable[str] = ()) -> dict[str, object]:
    """A model's version. Its tags say by what it is signed."""
    said = {
        "sha256": of.manifest_sha256,
        "checkpoint": of.name,
        "conduct": str(of.conduct),
        "url": settings.PUBLIC_URL + of.path,
    }
    at = _milliseconds(of.published_at or of.received_at)
    return {
        "name": name_of(of.project),
        "version": number(of),
        "creation_timestamp": at,
        "last_updated_timestamp": at,
        "current_stage": NO_STAGE,
        "description": f"{of.full_name}, {as_id(of.manifest_sha256)}",
        "source": source(of),
        "run_id": of.run_id or "",
        "status": READY,
        "tags": _tags(said),
        "aliases": sorted(aliases),
    }


def number(of: Checkpoint) -> str:
    """The version's."""
    return str(of.pk)


def source(of: Checkpoint) -> str:
    """Where its files are, to clients: below the address that they were told."""
    return f"{SCHEME}{of.project.full_name}/{of.oid}"


def _tags(said: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in said.items()]


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
