# SPDX-License-Identifier: Apache-2.0
"""A node at work: lease a run, train it, publish its checkpoints, and again, until it is stopped.

What it may lose is the steps since the last published checkpoint: a node that is killed, and one
that takes over, go on from there exactly as the run would have gone on.
"""

from __future__ import annotations

import dataclasses
import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from assay.signing.client import ClientError
from assay.signing.errors import AssayError

from . import data, saving
from .blobs import BlobCache
from .card import Origin, card
from .errors import LeaseLost, TrainerError
from .loop import LossPoint, Training, train
from .pool import Lease, Pool
from .publish import Publication, Publisher
from .record import Circumstances, signed_record
from .reporting import Reporter
from .runtime import Machine, software

IDLE_SECONDS = 3.0
AFTER_FAILURE_SECONDS = 15.0
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A machine in a pool, its folder and its clock."""

    pool: Pool
    directory: Path
    machine: Machine
    now: Callable[[], datetime]

    @property
    def is_stopped(self) -> bool:
        """Whether somebody asked it to leave."""
        return self.pool.patience.stopped.is_set()

    @property
    def cache(self) -> BlobCache:
        """The blobs that it keeps."""
        return BlobCache(self.directory / "blobs", self.pool.client, self.pool.patience)


def serve(node: Node) -> None:
    """Work until stopped. A run that fails is given back and the next one asked for."""
    while not node.is_stopped:
        pause_seconds = 0.0
        try:
            lease = node.pool.lease()
            if lease is None:
                node.pool.greet()
                pause_seconds = IDLE_SECONDS
            else:
                work(node, lease)
        except LeaseLost as error:
            _logger.warning("%s", error)
            pause_seconds = IDLE_SECONDS
        # RuntimeError: what torch raises, out of memory for example.
        except (TrainerError, AssayError, OSError, RuntimeError) as error:
            _logger.warning("%s", error)
            pause_seconds = AFTER_FAILURE_SECONDS
        node.pool.patience.stopped.wait(pause_seconds)


def work(node: Node, lease: Lease) -> None:
    """Train a leased run to its end, or until stopped; then complete or release the lease."""
    step = lease.resume.step if lease.resume else 0
    reporter = Reporter(node.pool, lease, step)
    reporter.start()
    is_finished = False
    try:
        is_finished = _train(node, lease, reporter)
    finally:
        reporter.finish()
        if not is_finished and not reporter.is_lost:
            _release(node, lease)
    if reporter.is_lost:
        raise LeaseLost(f"lease {lease.id}: lost at step {reporter.step}")
    if is_finished:
        node.pool.complete(lease)
        _logger.info("run %s is complete", lease.run.id)


def _train(node: Node, lease: Lease, reporter: Reporter) -> bool:
    """Whether the run's last step is done and published."""
    run, recipe = lease.run, lease.run.recipe
    rules = node.pool.check_conduct(run.conduct)
    resumed = lease.resume.files.files if lease.resume else ()
    node.cache.make_room((*run.dataset.files, *resumed))
    node.cache.fetch_all(run.dataset.files)
    corpus = data.load(
        run.dataset,
        node.cache.read,
        one_in=recipe.validation_one_in,
        context_bytes=recipe.model.context_bytes,
    )
    training = _training(node, lease)
    _logger.info("run %s of %s at step %d, under: %s", run.id, run.project, training.step, rules)
    with Publisher(node.pool, lease) as publisher:
        work_of = _Work(node=node, lease=lease, reporter=reporter, publisher=publisher)
        train(training, corpus, work_of)
        publisher.settle()
    return training.is_finished


def _training(node: Node, lease: Lease) -> Training:
    if lease.resume is None:
        return Training.begin(lease.run.recipe, node.machine)
    folder = _emptied(node, lease) / "resumed"
    node.cache.lay_out(lease.resume.files, folder)
    machine = dataclasses.replace(node.machine, precision=saving.saved_precision(folder))
    return saving.resume(lease.run.recipe, machine, folder)


class _Work:
    """Watches a leased training: reports its losses, saves, signs and publishes."""

    def __init__(
        self, *, node: Node, lease: Lease, reporter: Reporter, publisher: Publisher
    ) -> None:
        self._node = node
        self._lease = lease
        self._reporter = reporter
        self._publisher = publisher
        self._started_at = node.now()
        self._parent = lease.resume.files.id if lease.resume else None

    def on_loss(self, point: LossPoint) -> None:
        self._reporter.add(point)
        if point.validation is not None:
            _logger.info("step %d: %.4f nats per byte held out", point.step, point.validation)

    def is_stopped(self) -> bool:
        return self._node.is_stopped or self._reporter.is_lost or self._publisher.has_failed

    def on_checkpoint(self, training: Training, point: LossPoint) -> None:
        self._publisher.settle()
        run = self._lease.run
        name = f"{self._lease.name_prefix}step-{point.step:06d}"
        folder = _emptied(self._node, self._lease) / name
        text = card(_origin(self._lease), run.recipe, point, training.model.parameter_count)
        manifest = saving.save(training, text, folder)
        circumstances = Circumstances(
            software=software(),
            hardware=training.machine.to_json(),
            started_at=self._started_at,
            finished_at=self._node.now(),
        )
        record = signed_record(
            self._node.pool.identity,
            run,
            manifest,
            point,
            parent=self._parent,
            circumstances=circumstances,
        )
        publication = Publication(
            name=name, step=point.step, folder=folder, manifest=manifest, record=record
        )
        self._publisher.start(publication)
        self._parent = manifest.id


def _origin(lease: Lease) -> Origin:
    conduct = lease.run.conduct
    return Origin(
        title=lease.run.project,
        data=f"dataset `sha256:{lease.run.dataset.id}`, {len(lease.run.dataset.files)} files",
        rules=f"Conduct policy `{conduct.id}` {conduct.version}, `sha256:{conduct.sha256}`.",
    )


def _emptied(node: Node, lease: Lease) -> Path:
    """The run's folder, with no checkpoint of it or of an earlier run: those are published."""
    runs = node.directory / "runs"
    shutil.rmtree(runs, ignore_errors=True)
    return runs / lease.run.id


def _release(node: Node, lease: Lease) -> None:
    try:
        node.pool.release(lease)
        _logger.info("lease %s is given back", lease.id)
    except (ClientError, LeaseLost) as error:
        _logger.warning("%s", error)  # it runs out by itself
