# SPDX-License-Identifier: Apache-2.0
"""Pictures are asked of what draws them, all or none, within the limits of texts."""

from __future__ import annotations

import uuid

import pytest
from pytest_django import Settings

from assay.signing.errors import InvalidDocument
from registry.accounts.models import User
from registry.catalog.models import Checkpoint
from registry.outputs import services
from registry.outputs.errors import GenerationQuotaExceeded, NotGeneratable, QueueFull
from registry.outputs.models import Output
from registry.outputs.pictures import asking
from registry.outputs.pictures.asking import Drawing
from tests.registry.outputs import world
from tests.registry.pool.world import Lab, paper_checkpoint

from . import drawn
from .drawn import ASKED, ask


def test_several_are_outputs_of_their_own_with_seeds_of_their_own(
    lab: Lab, checkpoint: Checkpoint
) -> None:
    ask(lab, checkpoint, count=3)
    asked = [each.sampling or {} for each in Output.objects.order_by("created_at")]
    assert [each["seed"] for each in asked] == [3, 4, 5]
    assert {each.media_type for each in Output.objects.all()} == {"image/png"}


def test_asked_again_under_one_id_they_are_the_same(lab: Lab, checkpoint: Checkpoint) -> None:
    id_ = uuid.uuid4()
    made = [
        asking.ask_by_name(checkpoint.full_name, ASKED, count=2, by=lab.people.bob, output_id=id_)
        for _ in range(2)
    ]
    assert made[0] == made[1]
    assert Output.objects.count() == 2


@pytest.mark.parametrize(
    ("drawing", "reason"),
    [
        (Drawing(prompt="C", size=512, seed=3), "prompt: expected one of A, B, found 'C'"),
        (Drawing(prompt="A", size=500, seed=3), "size: expected a multiple of 32 pixels"),
    ],
)
def test_what_it_does_not_draw_is_refused(
    lab: Lab, checkpoint: Checkpoint, drawing: Drawing, reason: str
) -> None:
    with pytest.raises(InvalidDocument, match=reason):
        ask(lab, checkpoint, drawing=drawing)
    assert not Output.objects.exists()


def test_each_kind_of_checkpoint_is_asked_for_what_it_makes(
    lab: Lab, checkpoint: Checkpoint
) -> None:
    with pytest.raises(NotGeneratable, match="POST /v1/images/generations"):
        world.ask(lab, checkpoint)
    with pytest.raises(NotGeneratable, match="expected a checkpoint that draws"):
        ask(lab, world.published(lab))
    with pytest.raises(NotGeneratable, match="expected a checkpoint that draws"):
        ask(lab, paper_checkpoint(lab, 2, is_by_hand=True))  # whose files are not there
    assert not Output.objects.exists()


def test_a_configuration_that_is_no_models_draws_nothing(lab: Lab) -> None:
    checkpoint = drawn.published(lab, side="wide")
    with pytest.raises(NotGeneratable, match="expected a checkpoint that draws"):
        ask(lab, checkpoint)


def test_there_is_room_for_all_or_for_none(
    lab: Lab, checkpoint: Checkpoint, settings: Settings
) -> None:
    ask(lab, checkpoint, count=4)
    ask(lab, checkpoint, count=3)
    with pytest.raises(QueueFull, match="found 7 and 2 more"):
        ask(lab, checkpoint, count=2)
    settings.GENERATION_QUOTA = 7
    with pytest.raises(GenerationQuotaExceeded, match="found 7 and 1 more"):
        ask(lab, checkpoint)
    assert Output.objects.count() == 7


def test_the_generation_program_is_told_what_to_draw(
    lab: Lab, checkpoint: Checkpoint, operator: User
) -> None:
    ask(lab, checkpoint)
    work = services.for_work(holder=operator, node="generator", seconds=1)
    assert work is not None
    assert work.sampling == {"prompt": "A", "size": 512, "seed": 3}
