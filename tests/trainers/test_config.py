# SPDX-License-Identifier: Apache-2.0
"""A recipe is read strictly: each bad field is named, with what was expected and what was found."""

import pytest

from assay.signing.errors import InvalidDocument
from assay.trainers.config import Recipe
from assay.trainers.recipes import standard

from .builders import changed, recipe_document, tiny_recipe


def test_a_recipe_keeps_the_document_it_was_read_from() -> None:
    document = recipe_document()
    recipe = Recipe.parse(document)
    assert recipe.document is document
    assert recipe.model.to_json() == document["model"]
    assert recipe.bytes_per_step == 8 * 32


def test_the_standard_recipe_is_one() -> None:
    recipe = Recipe.parse(standard(validation_one_in=5))
    assert recipe.validation_one_in == 5
    assert recipe.is_checkpoint(recipe.first_checkpoint_step)


def test_without_a_first_checkpoint_step_the_first_is_a_regular_one() -> None:
    assert tiny_recipe().first_checkpoint_step == 6


def test_each_checkpoint_is_validated() -> None:
    recipe = tiny_recipe(first_checkpoint_step=1)
    assert [step for step in range(1, 13) if recipe.is_checkpoint(step)] == [1, 6, 12]
    assert [step for step in range(1, 13) if recipe.is_validated(step)] == [1, 4, 6, 8, 12]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trainer": "shell/v1"}, "trainer: expected byte-gpt/v1"),
        ({"command": "rm"}, "'command': expected no such field"),
        ({"seed": -1}, "seed: expected an integer from 0"),
        ({"checkpoint_every_steps": 0}, "checkpoint_every_steps: expected an integer from 1"),
        ({"first_checkpoint_step": 0}, "first_checkpoint_step: expected an integer from 1"),
        ({"validate_every_steps": "4"}, "validate_every_steps: expected an integer from 1"),
        ({"model": None}, "model: expected an object, found null"),
    ],
)
def test_a_bad_field_is_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidDocument, match=message):
        Recipe.parse(recipe_document(**changes))


@pytest.mark.parametrize(
    ("part", "changes", "message"),
    [
        ("model", {"width": 30}, r"model\.width: expected a multiple of twice .* \(4\), found 30"),
        ("model", {"layers": 0}, r"model\.layers: expected an integer from 1 to 128"),
        ("model", {"depth": 1}, "no such field"),
        ("data", {"validation_one_in": 1}, r"data\.validation_one_in: expected an integer from 2"),
        ("batch", {"sequences": 0}, r"batch\.sequences: expected an integer from 1"),
        ("batch", {"accumulate": 10**6}, r"batch\.accumulate: expected an integer from 1 to 4096"),
        ("schedule", {"warmup_steps": 13}, r"schedule\.warmup_steps: expected .* to 12"),
        ("schedule", {"cooldown_steps": 11}, r"schedule\.cooldown_steps: expected .* to 10"),
        ("optimizer", {"muon_rate": "2"}, r"optimizer\.muon_rate: expected a decimal string"),
        ("optimizer", {"adamw_rate": "1e-3"}, r"optimizer\.adamw_rate: expected a decimal"),
        ("optimizer", {"adamw_rate": "٣"}, r"optimizer\.adamw_rate: expected a decimal"),
        ("optimizer", {"clip_norm": 1}, r"optimizer\.clip_norm: expected a string"),
        ("sample", {"temperature": "-1"}, r"sample\.temperature: expected a decimal string"),
        ("sample", {"max_new_bytes": 5000}, r"sample\.max_new_bytes: expected .* to 4096"),
        ("sample", {"prompt": ""}, r"sample\.prompt: expected a string"),
    ],
)
def test_a_bad_field_of_a_part_is_named(
    part: str, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(InvalidDocument, match=message):
        Recipe.parse(changed(recipe_document(), part, **changes))
