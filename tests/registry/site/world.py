# SPDX-License-Identifier: Apache-2.0
"""A published checkpoint and a signed text from it, for the pages that show them."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from registry.accounts.models import User
from registry.catalog import services as catalog
from registry.catalog.models import Checkpoint
from registry.outputs import queries, services
from registry.outputs.models import Output
from registry.pool import services as pool
from tests.registry.pool.world import Lab, Machine, seen, submission

TEXT = "def hello(self):\n    return self.name\n"
STEP = 20
WORK_SECONDS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What there is to be shown."""

    lab: Lab
    machine: Machine
    checkpoint: Checkpoint
    sample: Output


def show(lab: Lab, machine: Machine) -> Shown:
    """The machine publishes a checkpoint; its sample is generated and signed."""
    owner = machine.node.owner
    lease = pool.claim(machine.node, now=timezone.now())
    assert lease is not None
    submitted = pool.Submitted.parse(submission(lab, machine, STEP))
    received = pool.submit(lease.id, submitted, by=owner, now=timezone.now())
    catalog.advance(received.pk)
    checkpoint = seen(received)
    return Shown(lab=lab, machine=machine, checkpoint=checkpoint, sample=answer_next(owner))


def ask(checkpoint: Checkpoint, *, by: User) -> Output:
    """The person asks for a text, which nobody has written yet."""
    document = {
        "checkpoint": f"sha256:{checkpoint.manifest_sha256}",
        "prompt": "x",
        "max_new_bytes": 64,
        "temperature": "1",
    }
    return services.ask(services.Request.parse(document), by=by)


def answer_next(holder: User, text: str = TEXT) -> Output:
    """Whatever waits first is answered, signed and logged; samples are what waits by itself."""
    leased = services.for_work(holder=holder, node="here", seconds=WORK_SECONDS)
    assert leased is not None
    assert leased.lease_id is not None
    services.complete(leased.lease_id, text, holder=holder, now=timezone.now())
    services.advance(leased.pk)
    return queries.outputs().get(pk=leased.pk)
