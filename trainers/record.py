# SPDX-License-Identifier: Apache-2.0
"""What a node states of a checkpoint that it made, signed with the node's own key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from assay.signing import envelope
from assay.signing.envelope import Envelope
from assay.signing.manifest import Manifest
from assay.signing.statements import RunClaim

from .errors import UnusableData
from .identity import Identity
from .loop import LossPoint
from .pool import Run, loss_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """Where and when a training ran."""

    software: Mapping[str, object]
    hardware: Mapping[str, object]
    started_at: datetime
    finished_at: datetime


def signed_record(
    identity: Identity,
    run: Run,
    manifest: Manifest,
    point: LossPoint,
    *,
    parent: str | None,
    circumstances: Circumstances,
) -> Envelope:
    """The run statement (docs/spec/formats.md, section 2) of one checkpoint."""
    if point.validation is None:
        raise UnusableData(f"step {point.step}: expected a held-out loss, found none")
    claim = RunClaim(
        manifest_sha256=manifest.id,
        run=run.id,
        node=identity.id,
        step=point.step,
        recipe=run.recipe.document,
        dataset_sha256=run.dataset.id,
        conduct=run.conduct,
        parent_sha256=parent,
        bytes_seen=point.bytes_seen,
        train_loss=loss_text(point.train),
        validation_loss=loss_text(point.validation),
        software=circumstances.software,
        hardware=circumstances.hardware,
        started_at=circumstances.started_at,
        finished_at=circumstances.finished_at,
    )
    return envelope.sign(claim.statement().canonical(), identity.key)
