# SPDX-License-Identifier: Apache-2.0
"""A node killed -9 in the middle of a run: what it published stays, and the run goes on from there.

Real nodes train over HTTP against a live registry; the model is small enough for a few seconds.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from assay.signing.verify import verify_checkpoint
from registry.audit.models import AuditRow
from registry.catalog import queries as catalog_queries
from registry.pool.models import Lease, LeaseState, LossPoint, Run, RunState
from tests.crash.machines import EVERY, node, small_run, until
from tests.registry.people import invite
from tests.registry.pool.world import found
from tests.registry.verifying import demands
from tests.running import Authority, Live

STEPS = 400


@pytest.fixture
def run(live: Live, authority: Authority, tmp_path: Path) -> Run:
    """Four checkpoints, a second or so apart."""
    return small_run(found(invite()), tmp_path, steps=STEPS)


def test_the_run_goes_on_from_the_last_published_checkpoint(
    live: Live, run: Run, authority: Authority, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    killed_once_it_has_published(live, run, first, EVERY)
    # The same machine need not wait when it starts again: it has forgotten its lease.
    killed_once_it_has_published(live, run, first, 2 * EVERY)
    let_it_run_out(Lease.objects.get(run=run, state=LeaseState.ACTIVE))
    with node(live, run.created_by, second):
        until(lambda: Run.objects.get(pk=run.pk).state == RunState.COMPLETED, second)
    leases = Lease.objects.filter(run=run).order_by("fence").values_list("fence", "state")
    assert list(leases) == [(1, "lost"), (2, "lost"), (3, "completed")]
    check_the_checkpoints(run, authority)
    check_the_losses(run)


def killed_once_it_has_published(live: Live, run: Run, directory: Path, step: int) -> None:
    """A node trains until this step's checkpoint is there, and is killed further on."""

    def is_published() -> bool:
        newest = catalog_queries.latest_of_run(str(run.pk))
        return newest is not None and (newest.step or 0) >= step

    with node(live, run.created_by, directory) as process:
        until(is_published, directory)
        process.kill()
        process.wait()
    assert Lease.objects.filter(run=run, state=LeaseState.ACTIVE).count() == 1
    assert Run.objects.get(pk=run.pk).state == RunState.RUNNING


def check_the_losses(run: Run) -> None:
    """Each checkpoint's, and each step's from where the last node went on.

    What a killed node had not reported of the steps before (a second's worth) may be missing.
    """
    row = AuditRow.objects.filter(action="lease.claim").latest("id")
    resumed = int(row.details["step"])
    assert resumed >= 2 * EVERY
    steps = set(LossPoint.objects.filter(run=run).values_list("step", flat=True))
    assert set(range(resumed, STEPS + 1)) <= steps
    assert set(range(EVERY, STEPS + 1, EVERY)) <= steps


def check_the_checkpoints(run: Run, authority: Authority) -> None:
    """Each once, each verified, each continuing the one before it."""
    found = catalog_queries.published_by_runs().filter(run_id=str(run.pk)).order_by("step")
    assert [one.step for one in found] == list(range(EVERY, STEPS + 1, EVERY))
    parent = None
    for checkpoint in found:
        evidence = catalog_queries.evidence(checkpoint)
        verified = verify_checkpoint(
            evidence, trust=authority.trust_root, requirements=demands(), files=evidence.manifest
        )
        assert verified.run is not None
        assert verified.run.parent_sha256 == parent
        parent = checkpoint.manifest_sha256


def let_it_run_out(lease: Lease) -> None:
    """As half a minute without a heartbeat would."""
    Lease.objects.filter(pk=lease.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
