# SPDX-License-Identifier: Apache-2.0
"""An output's page is for its caller; a sample's for everybody."""

from __future__ import annotations

import uuid

import pytest
from django.utils import timezone

from registry.accounts.models import User
from registry.catalog.models import Checkpoint
from registry.outputs import services
from registry.outputs.models import Output, State
from tests.registry.outputs import world
from tests.registry.people import browser
from tests.registry.pool.world import Lab


def test_a_callers_page_is_theirs_alone(
    real_lab: Lab, real_checkpoint: Checkpoint, operator: User
) -> None:
    world.ask(real_lab, real_checkpoint)
    output = world.generate(operator)
    own = browser(real_lab.people.bob).get(output.path)
    assert own.status_code == 200
    assert "café" in own.content.decode()
    for stranger in (None, real_lab.people.alice, real_lab.people.charlie):
        answer = browser(stranger).get(output.path)
        assert answer.status_code == 404
        assert "café" not in answer.content.decode()
    assert browser(real_lab.people.bob).get(f"/outputs/{uuid.uuid4()}").status_code == 404


def test_a_sample_is_everybodys(real_lab: Lab, operator: User) -> None:
    world.trained(real_lab, 20)
    services.queue_samples()
    answer = browser(None).get(world.generate(operator).path)
    assert answer.status_code == 200
    assert "café" in answer.content.decode()


@pytest.mark.parametrize("state", [State.QUEUED, State.GENERATED, State.FAILED])
def test_what_is_not_signed_shows_no_text(lab: Lab, checkpoint: Checkpoint, state: State) -> None:
    output = world.ask(lab, checkpoint)
    ended_at = timezone.now() if state is State.FAILED else None
    Output.objects.update(state=state, text="café", sha256="0" * 64, ended_at=ended_at)
    answer = browser(lab.people.bob).get(output.path)
    assert answer.status_code == 200
    assert "café" not in answer.content.decode()
