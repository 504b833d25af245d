# SPDX-License-Identifier: Apache-2.0
"""Publishing, killed at every system call: nothing acknowledged is lost, nothing is half-visible.

Each point is a process killed by strace before the call. After it, strangers see all of the
checkpoint or nothing; the sweep then completes it, once.
"""

from __future__ import annotations

import json
import os
import random
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from django.db import connections

from assay.signing import merkle
from assay.signing.manifest import SIGNATURE_NAMES
from assay.signing.verify import verify_checkpoint
from registry.audit.models import AuditRow
from registry.catalog import queries, services
from registry.catalog.content.submission import Submission
from registry.catalog.models import Checkpoint, File, State
from registry.events.models import Event
from registry.ledger import queries as ledger
from registry.ledger.models import Entry, TreeHead
from registry.supervisor import programs, waiting
from registry.supervisor.processes import Process
from tests.crash.killing import Forks
from tests.registry.catalog.world import FILES, World, by_node, by_person
from tests.registry.ledger.files import proven_size
from tests.registry.verifying import demands
from tests.running import Authority, _deployment, _test_database_url
from tests.signing.trees import root_of
from tests.thorough import IS_REPEATING, repeated
from tests.until import until

pytestmark = [pytest.mark.django_db(transaction=True), repeated]
MAX_POINTS = 12 if IS_REPEATING else 4
STEPS = ["checkpoint.receive", "checkpoint.sign", "checkpoint.publish"]


@pytest.mark.parametrize("call", ["sendto", "fsync", "rename", "write"])
def test_a_process_that_advances_is_killed_at_each_call(
    world: World, forks: Forks, authority: Authority, call: str, met: Counter[str]
) -> None:
    first = services.receive(by_node(world, 1))
    calls = forks.count(f"along {first.pk}")[call]
    assert calls > 0
    killed = 0
    for step, number in enumerate(some_of(calls), start=2):
        checkpoint = services.receive(by_node(world, step))
        killed += forks.kill_at(f"along {checkpoint.pk}", call, number)
        check_all_or_nothing_is_visible(checkpoint)
        proven_size(authority)
        until(partial(is_published_by_the_sweep, checkpoint))
        check_published_once(checkpoint, authority)
        if killed == MAX_POINTS:
            break
    met["killed"] += killed
    # A blob's folder may be there already, which saves one call: the last points may not be met.
    assert killed >= min(calls, MAX_POINTS) - 2, forks.said()
    check_the_ledger(authority)


def test_a_process_that_receives_is_killed_at_each_call(
    world: World, forks: Forks, authority: Authority, tmp_path: Path, met: Counter[str]
) -> None:
    first = by_person(world, "first")
    calls = forks.count(f"receive {order(first, tmp_path)}")["sendto"]
    killed = 0
    for number in some_of(calls):
        files = {**FILES, "notes.txt": b"%d" % number}
        submission = by_person(world, f"number-{number}", files)
        killed += forks.kill_at(f"receive {order(submission, tmp_path)}", "sendto", number)
        kept = Checkpoint.objects.filter(name=submission.name).first()
        # Never acknowledged: there is nothing, or all of it. The publisher asks again.
        checkpoint = kept or services.receive(submission)
        assert File.objects.filter(checkpoint=checkpoint).count() == len(files)
        until(partial(is_published_by_the_sweep, checkpoint))
        check_published_once(checkpoint, authority)
        if killed == MAX_POINTS:
            break
    met["killed"] += killed
    assert killed >= min(calls, MAX_POINTS) - 2, forks.said()


@pytest.mark.parametrize(
    ("call", "error"),
    [("fsync", "EIO"), ("write", "ENOSPC"), ("rename", "EIO"), ("fsync", "ENOSPC")],
)
def test_a_disk_that_fails_leaves_it_waiting(
    world: World, forks: Forks, authority: Authority, call: str, error: str
) -> None:
    checkpoint = services.receive(by_node(world))
    assert forks.fail_at(f"advance {checkpoint.pk}", call, error)
    check_all_or_nothing_is_visible(checkpoint)
    assert Checkpoint.objects.get(pk=checkpoint.pk).state == State.SIGNED
    services.sweep()
    check_published_once(checkpoint, authority)


def test_a_signer_that_dies_in_between_is_waited_for(world: World, authority: Authority) -> None:
    checkpoint = services.receive(by_node(world))
    authority.stop()
    try:
        for _ in range(3):
            services.sweep()
            check_all_or_nothing_is_visible(checkpoint)
    finally:
        authority.start()
    services.sweep()
    check_published_once(checkpoint, authority)


def test_a_worker_that_is_killed_is_made_up_for_by_the_sweep(
    world: World, authority: Authority
) -> None:
    """The real Celery worker, kill -9 in the middle of its work; its messages are lost with it."""
    checkpoints = [services.receive(by_node(world, step)) for step in range(1, 7)]
    worker = _worker()
    try:
        is_at_work = Checkpoint.objects.exclude(state=State.RECEIVED).exists
        waiting.until_it_answers(worker, is_at_work, expectation="a first checkpoint signed")
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.stop()
    for checkpoint in checkpoints:
        check_all_or_nothing_is_visible(checkpoint)
    for checkpoint in checkpoints:
        until(partial(is_published_by_the_sweep, checkpoint))
        check_published_once(checkpoint, authority)
    check_the_ledger(authority)


def test_many_who_advance_the_same_publish_it_once(world: World, authority: Authority) -> None:
    checkpoint = services.receive(by_node(world))

    def advance(_: int) -> None:
        try:
            services.advance(checkpoint.pk)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(advance, range(50)))
    services.sweep()
    check_published_once(checkpoint, authority)
    check_the_ledger(authority)


def _worker() -> Process:
    program = programs.worker(_deployment(0))
    environment = {**program.environment, "DATABASE_URL": _test_database_url()}
    return Process(replace(program, environment=environment))


def some_of(calls: int) -> list[int]:
    """Every call, or some at random (pytest-randomly prints the seed): others next time.

    Twice as many as are wanted, for those that are not met.
    """
    return random.sample(range(1, calls + 1), min(calls, 2 * MAX_POINTS))


def order(submission: Submission, folder: Path) -> Path:
    """A submission as forks.py reads it."""
    path = folder / f"{submission.name}.json"
    wanted = {
        "user": submission.user.username,
        "project": submission.project.full_name,
        "name": submission.name,
        "manifest": submission.manifest.to_json(),
    }
    path.write_text(json.dumps(wanted))
    return path


def check_all_or_nothing_is_visible(checkpoint: Checkpoint) -> None:
    now = Checkpoint.objects.get(pk=checkpoint.pk)
    is_published = now.state == State.PUBLISHED
    assert queries.visible(None).filter(pk=now.pk).exists() == is_published
    assert (queries.signature(now) is not None) == is_published
    is_told = Event.objects.filter(kind="checkpoint", data__name=now.name).exists()
    assert is_told == is_published
    rows = AuditRow.objects.filter(subject=now.full_name).order_by("id")
    done = {State.RECEIVED: 1, State.SIGNED: 2, State.PUBLISHED: 3}[State(now.state)]
    assert list(rows.values_list("action", flat=True)) == STEPS[:done]
    assert (now.statement is not None) == (done > 1)


def is_published_by_the_sweep(checkpoint: Checkpoint) -> bool:
    """It passes over rows that are held; a moment long PostgreSQL holds those of who was killed."""
    services.sweep()
    return Checkpoint.objects.filter(pk=checkpoint.pk, state=State.PUBLISHED).exists()


def check_published_once(checkpoint: Checkpoint, authority: Authority) -> None:
    now = queries.checkpoint(checkpoint.manifest_sha256)
    rows = AuditRow.objects.filter(subject=now.full_name).order_by("id")
    assert list(rows.values_list("action", flat=True)) == STEPS
    names = sorted(now.files.values_list("name", flat=True))
    manifest = queries.manifest(now)
    assert names == sorted([*(file.name for file in manifest.files), *SIGNATURE_NAMES])
    verify_checkpoint(
        queries.evidence(now), trust=authority.trust_root, requirements=demands(), files=manifest
    )
    if now.run_id is not None:
        assert Event.objects.filter(kind="checkpoint", data__name=now.name).count() == 1


def check_the_ledger(authority: Authority) -> None:
    """No gap, no double, and every head that was ever shown is of this one tree."""
    entries = list(Entry.objects.order_by("index"))
    assert [entry.index for entry in entries] == list(range(len(entries)))
    leaves = [merkle.leaf_hash(bytes(entry.body)) for entry in entries]
    for head in TreeHead.objects.all():
        assert bytes(head.root) == root_of(leaves[: head.size])
    assert ledger.tree_head().size == len(entries) == proven_size(authority)
