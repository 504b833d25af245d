# SPDX-License-Identifier: Apache-2.0
"""A recipe is read strictly: every field is known, bounded, and plain enough to be signed."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest

from assay.signing.errors import InvalidDocument
from registry.pool.recipe import Recipe
from registry.pool.sampling import Sampling, decimal_text
from tests.registry.pool.world import RECIPE, STEPS


def changed(path: str, value: object) -> dict[str, Any]:
    """The recipe with one field set."""
    recipe = copy.deepcopy(RECIPE)
    *outer, last = path.split(".")
    place = recipe
    for name in outer:
        place = place[name]
    place[last] = value
    return recipe


def test_the_demonstrations_recipe_is_read() -> None:
    recipe = Recipe.parse(RECIPE)
    assert recipe.steps == STEPS
    assert recipe.sample.to_json() == RECIPE["sample"]
    assert recipe.document == RECIPE


def test_an_early_first_checkpoint_may_be_asked_for() -> None:
    assert Recipe.parse({**RECIPE, "first_checkpoint_step": 5}).steps == STEPS


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("trainer", "byte-gpt/v2"),
        ("trainer", None),
        ("script", "rm -rf /"),
        ("model.layers", 0),
        ("model.layers", 129),
        ("model.width", 190),
        ("model.heads", True),
        ("model.dropout", "0.1"),
        ("model.context_bytes", "256"),
        ("model", []),
        ("data.validation_one_in", 1),
        ("data.url", "https://example.com"),
        ("batch.sequences", 0),
        ("batch.accumulate", 1.5),
        ("optimizer.muon_rate", 0.02),
        ("optimizer.muon_rate", "1e-2"),
        ("optimizer.adamw_rate", "nan"),
        ("optimizer.weight_decay", "-0.1"),
        ("optimizer.clip_norm", "1000001"),
        ("optimizer.name", "sgd"),
        ("schedule.steps", 0),
        ("schedule.warmup_steps", STEPS + 1),
        ("schedule.cooldown_steps", STEPS - 3),
        ("schedule.kind", "cosine"),
        ("checkpoint_every_steps", 0),
        ("validate_every_steps", -1),
        ("first_checkpoint_step", 0),
        ("seed", 2**31),
        ("sample.prompt", ""),
        ("sample.prompt", "é" * 2049),
        ("sample.prompt", "a\0b"),
        ("sample.prompt", "\ud800"),
        ("sample.max_new_bytes", 1025),
        ("sample.temperature", "2.1"),
        ("sample.seed", -1),
        ("sample.top_k", 4),
    ],
)
def test_one_wrong_field_is_refused_by_name(path: str, value: object) -> None:
    with pytest.raises(InvalidDocument) as refusal:
        Recipe.parse(changed(path, value))
    assert refusal.value.field.replace("'", "") == path


@pytest.mark.parametrize("field", sorted(RECIPE))
def test_each_field_must_be_there(field: str) -> None:
    recipe = copy.deepcopy(RECIPE)
    del recipe[field]
    with pytest.raises(InvalidDocument, match=field):
        Recipe.parse(recipe)


@pytest.mark.parametrize(
    ("written", "plain"), [("0.70", "0.7"), ("0", "0"), ("2.0", "2"), ("1.000000000001",) * 2]
)
def test_a_quantity_is_written_in_one_way(written: str, plain: str) -> None:
    request = {**RECIPE["sample"], "temperature": written}
    assert Sampling.parse(request).to_json()["temperature"] == plain
    assert decimal_text(Decimal(written)) == plain
