# SPDX-License-Identifier: Apache-2.0
"""A generation program killed -9 with a request in its hands: another one answers it, once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from assay.signing.verify import Content, verify_output
from registry.catalog import queries as catalog
from registry.catalog.models import Checkpoint
from registry.outputs import queries, services, tasks
from registry.outputs.models import Output, State
from tests.crash.machines import EVERY, generator, node, small_run, until
from tests.registry.outputs import world
from tests.registry.people import invite
from tests.registry.pool.world import Lab, found
from tests.registry.verifying import demands
from tests.running import Authority, Live

LONG = 1024  # bytes: long enough to be killed in the middle


def test_a_request_is_answered_by_the_next_program(
    live: Live, authority: Authority, tmp_path: Path
) -> None:
    lab = found(invite())
    asked = world.ask(lab, trained(live, lab, tmp_path), max_new_bytes=LONG)
    operator = world.operator()
    with generator(live, operator, tmp_path / "first") as process:
        until(lambda: state_of(asked) == State.LEASED, tmp_path / "first")
        process.kill()
        process.wait()
    assert state_of(asked) == State.LEASED
    Output.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    tasks.sweep()
    with generator(live, operator, tmp_path / "second"):
        until(lambda: state_of(asked) == State.SIGNED, tmp_path / "second")
        until(lambda: queries.newest_sample() is not None, tmp_path / "second")
    output = queries.output(asked.pk, lab.people.bob)
    assert output.attempts == 2
    assert len(output.text.encode()) > LONG // 2
    verified = verify_output(
        queries.evidence(output),
        trust=authority.trust_root,
        requirements=demands(),
        content=Content.of(output.text.encode()),
    )
    assert verified.run is not None
    assert services.unsigned() == []


def trained(live: Live, lab: Lab, folder: Path) -> Checkpoint:
    """The one checkpoint of a short run by a real node."""
    run = small_run(lab, folder, steps=EVERY)

    def newest() -> Checkpoint | None:
        return catalog.latest_of_run(str(run.pk))

    with node(live, lab.people.bob, folder / "node"):
        until(lambda: newest() is not None, folder / "node")
    checkpoint = newest()
    assert checkpoint is not None
    return checkpoint


def state_of(asked: Output) -> str:
    return Output.objects.get(pk=asked.pk).state
