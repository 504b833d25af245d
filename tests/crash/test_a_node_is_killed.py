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
from tests.running import Authority, Live

STEPS = 300


@pytest.fixture
def run(live: Live, authority: Authority, tmp_path: Path) -> Run:
    """Three checkpoints, a second or so apart."""
    return small_run(found(invite()), tmp_path, steps=STEPS)


@pytest.mark.parametrize("is_same_machine", [False, True])
def test_the_run_goes_on_from_the_last_published_checkpoint(
    live: Live, run: Run, authority: Authority, tmp_path: Path, is_same_machine: bool
) -> None:
    first = tmp_path / "first"
    with node(live, run.created_by, first) as process:
        until(lambda: catalog_queries.latest_of_run(str(run.pk)) is not None, first)
        process.kill()
        process.wait()
    killed = Lease.objects.get(run=run)
    assert (killed.state, Run.objects.get(pk=run.pk).state) == ("active", "running")
    if is_same_machine:
        second = first  # its own next start need not wait: it has forgotten its lease
    else:
        second = tmp_path / "second"
        let_it_run_out(killed)
    with node(live, run.created_by, second):
        until(lambda: Run.objects.get(pk=run.pk).state == RunState.COMPLETED, second)
    resumed = check_the_leases(run, killed)
    check_the_checkpoints(run, authority)
    check_the_losses(run, resumed)


def check_the_leases(run: Run, killed: Lease) -> int:
    """The second one went on under a fence of its own; from which step."""
    lost, completed = Lease.objects.filter(run=run).order_by("fence")
    assert lost.pk == killed.pk
    assert (lost.state, completed.state) == (LeaseState.LOST, LeaseState.COMPLETED)
    assert (lost.fence, completed.fence) == (1, 2)
    row = AuditRow.objects.get(action="lease.claim", subject=f"lease:{completed.pk}")
    return int(row.details["step"])


def check_the_losses(run: Run, resumed: int) -> None:
    """Each step from there on, and each checkpoint's.

    What the killed node had not reported of the steps before (a second's worth) may be missing.
    """
    steps = set(LossPoint.objects.filter(run=run).values_list("step", flat=True))
    assert resumed in range(EVERY, STEPS, EVERY)
    assert set(range(resumed, STEPS + 1)) <= steps
    assert set(range(EVERY, STEPS + 1, EVERY)) <= steps


def check_the_checkpoints(run: Run, authority: Authority) -> None:
    """Each once, each verified, each continuing the one before it."""
    found = catalog_queries.published_by_runs().filter(run_id=str(run.pk)).order_by("step")
    assert [one.step for one in found] == list(range(EVERY, STEPS + 1, EVERY))
    parent = None
    for checkpoint in found:
        evidence = catalog_queries.evidence(checkpoint)
        verified = verify_checkpoint(evidence, trust=authority.trust_root, files=evidence.manifest)
        assert verified.run is not None
        assert verified.run.parent_sha256 == parent
        parent = checkpoint.manifest_sha256


def let_it_run_out(lease: Lease) -> None:
    """As half a minute without a heartbeat would."""
    Lease.objects.filter(pk=lease.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
