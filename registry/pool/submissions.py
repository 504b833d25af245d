# SPDX-License-Identifier: Apache-2.0
"""Publishes a checkpoint of a run: only for who holds its lease, at this moment.

That the node's statement is true to the lease is checked by the catalogue, to which everything it
must be true to is handed over here.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.db import transaction

from assay.signing import canonical
from assay.signing.canonical import Obj
from assay.signing.envelope import Envelope
from assay.signing.manifest import Manifest
from assay.signing.statements import RunClaim, Statement
from registry.accounts import queries as accounts
from registry.accounts.queries import User
from registry.catalog import services as catalog
from registry.catalog.errors import MayNotPublish
from registry.catalog.queries import Checkpoint
from registry.catalog.services import RunEvidence, Submission
from registry.conduct import standing

from . import leases, losses, queries
from .models import Lease
from .recipe import MAX_STEPS


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """The body of `POST /api/v1/leases/{lease}/checkpoints`."""

    name: str
    step: int
    manifest: Manifest
    statement: Envelope

    @classmethod
    def parse(cls, obj: Obj) -> Self:
        """Read it."""
        canonical.only(obj, "name", "step", "manifest", "statement")
        with canonical.within("manifest"):
            manifest = Manifest.parse(canonical.mapping(obj, "manifest"))
        with canonical.within("statement"):
            statement = Envelope.parse(canonical.mapping(obj, "statement"))
        return cls(
            name=canonical.text(obj, "name"),
            step=canonical.integer(obj, "step", minimum=1, maximum=MAX_STEPS),
            manifest=manifest,
            statement=statement,
        )


def submit(lease_id: uuid.UUID, submitted: Submitted, *, by: User, now: datetime) -> Checkpoint:
    """Hand the checkpoint to the catalogue; the lease is locked while that keeps it.

    So no second holder can have begun before: what is received was made under the newest fence. The
    files are read before the lock, on which the node's heartbeats would wait until they are late.
    """
    lease = queries.lease(lease_id, owner=by)
    leases.check_held(lease, now=now)
    leases.check_step(lease.run, submitted.step)
    _check_rights(lease, by)
    submission = catalog.check(_submission(lease, submitted, by))
    claim = RunClaim.parse(Statement.parse(submitted.statement.payload))
    with transaction.atomic():
        lease = leases.held(lease_id, by=by, now=now)
        leases.note_step(lease, submitted.step)
        losses.keep_stated(lease.run, claim, now=now)
        return catalog.keep(submission)


def _check_rights(lease: Lease, by: User) -> None:
    """As they are now, not as they were when the lease began."""
    project = lease.run.project
    if not accounts.may_publish(by, project.owner):
        raise MayNotPublish(f"expected a node of somebody who acts for {project.owner.name}")
    standing.require(by.namespace, lease.run.conduct)


def _submission(lease: Lease, submitted: Submitted, by: User) -> Submission:
    run = lease.run
    evidence = RunEvidence(
        run_id=str(run.id),
        node=lease.node,
        recipe=run.recipe,
        dataset=run.dataset,
        conduct=run.conduct,
        envelope=submitted.statement,
    )
    return Submission(
        user=by,
        project=run.project,
        name=submitted.name,
        step=submitted.step,
        manifest=submitted.manifest,
        run=evidence,
    )
