# SPDX-License-Identifier: Apache-2.0
"""The runs of a person who left: over, for nobody can go on with them."""

from __future__ import annotations

from datetime import datetime

from registry.accounts.queries import Namespace

from .models import Lease, LeaseState, Run, RunState


def end(owner: Namespace, *, now: datetime) -> None:
    """End what is open or being trained, in the caller's transaction.

    Their leases end with them: one that only ran out would open its run again. The runs are locked
    before their leases, as everywhere (leases.py), and no follower is told: there is no page left.
    """
    live = Run.objects.filter(project__owner=owner).exclude(state=RunState.COMPLETED)
    runs = list(live.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
    Lease.objects.filter(run__in=runs, state=LeaseState.ACTIVE).update(
        state=LeaseState.RELEASED, ended_at=now
    )
    Run.objects.filter(pk__in=runs).update(state=RunState.COMPLETED, ended_at=now)
