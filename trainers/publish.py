# SPDX-License-Identifier: Apache-2.0
"""Publishes a run's checkpoints, one after the other, beside the training and not in its way.

A checkpoint is safe once the registry has acknowledged it; until then every request is repeated
with the same key, so that a registry which restarts in between neither loses nor doubles it.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Self

from assay.signing.canonical import Obj, as_mapping, text
from assay.signing.client import ClientError
from assay.signing.digests import as_id, sha256
from assay.signing.envelope import Envelope
from assay.signing.manifest import Manifest

from .errors import PublishRefused
from .patience import is_passing
from .pool import Lease, Pool

POLL_SECONDS = 0.5
PUBLISHED_LIMIT_SECONDS = 300.0
"""After this long an acknowledged checkpoint is left to the registry's own sweeps."""
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A saved checkpoint and what its node states of it."""

    name: str
    step: int
    folder: Path
    manifest: Manifest
    record: Envelope

    def to_json(self) -> dict[str, object]:
        """The request that submits it."""
        return {
            "name": self.name,
            "step": self.step,
            "manifest": self.manifest.to_json(),
            "statement": self.record.to_json(),
        }


class Publisher:
    """Publishes one checkpoint at a time in a thread; use as a context manager."""

    def __init__(self, pool: Pool, lease: Lease) -> None:
        self._pool = pool
        self._lease = lease
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="publisher")
        self._pending: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._thread.shutdown()

    @property
    def has_failed(self) -> bool:
        """Whether `settle` would raise."""
        pending = self._pending
        return pending is not None and pending.done() and pending.exception() is not None

    def start(self, publication: Publication) -> None:
        """Begin to publish; first waits for the one before, so that they appear in order."""
        self.settle()
        self._pending = self._thread.submit(publish, self._pool, self._lease, publication)

    def settle(self) -> None:
        """Wait for what was begun; raises what went wrong with it."""
        if self._pending is not None:
            self._pending.result()


def publish(pool: Pool, lease: Lease, publication: Publication) -> None:
    """Upload, submit, and wait until it is published."""
    client, patience = pool.client, pool.patience
    for entry in publication.manifest.files:
        path = publication.folder.joinpath(*entry.name.split("/"))
        patience.until_answered(partial(client.put_blob, path))
    patience.until_answered(lambda: _submit(pool, lease, publication))
    _await_published(pool, lease, publication)


def _submit(pool: Pool, lease: Lease, publication: Publication) -> None:
    try:
        pool.client.post_json(
            f"/api/v1/leases/{lease.id}/checkpoints",
            publication.to_json(),
            idempotency_key=sha256(publication.record.payload),
        )
    except ClientError as error:
        # The same checkpoint, submitted by a start of this node that was killed: it is there.
        if error.status != HTTPStatus.CONFLICT or is_passing(error):
            raise
        # One of another run's, or of nobody's that we see, is none that this run could go on from.
        found = _found(pool, lease, publication)
        if found is None or found.get("run") != lease.run.id:
            raise PublishRefused(f"{publication.name}: {error}") from error


def _await_published(pool: Pool, lease: Lease, publication: Publication) -> None:
    give_up_at = time.monotonic() + PUBLISHED_LIMIT_SECONDS
    while time.monotonic() < give_up_at:
        match pool.patience.until_answered(lambda: _state(pool, lease, publication)):
            case "published":
                _logger.info("%s is published as %s", publication.name, _id(publication))
                return
            case "rejected":
                raise PublishRefused(
                    f"{publication.name}: expected it published, found it rejected"
                )
            case _ if pool.patience.stopped.wait(POLL_SECONDS):
                return
    _logger.warning("%s: the registry has it, and has not published it yet", publication.name)


def _state(pool: Pool, lease: Lease, publication: Publication) -> str | None:
    """How far it is; None if the registry knows none of this id."""
    found = _found(pool, lease, publication)
    return None if found is None else text(found, "state")


def _found(pool: Pool, lease: Lease, publication: Publication) -> Obj | None:
    """What the registry says of a checkpoint of the run's project; None if it knows no such id."""
    within = {"project": lease.run.project}
    try:
        answer = pool.client.get_json(f"/api/v1/checkpoints/{_id(publication)}", within)
    except ClientError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            return None
        raise
    return as_mapping(answer, "checkpoint")


def _id(publication: Publication) -> str:
    return as_id(publication.manifest.id)
