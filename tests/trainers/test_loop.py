# SPDX-License-Identifier: Apache-2.0
"""The loop: the loss falls, two trainings are one, and stopping changes nothing."""

from pathlib import Path

import pytest
import torch

from assay.trainers import saving
from assay.trainers.config import Recipe
from assay.trainers.data import Corpus
from assay.trainers.loop import Training, take_step, train, validation_loss

from .builders import CPU, Notebook, changed, recipe_document, tiny_corpus, tiny_recipe


def trained(recipe: Recipe, corpus: Corpus, notebook: Notebook) -> Training:
    training = Training.begin(recipe, CPU)
    train(training, corpus, notebook)
    return training


def weights(training: Training) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in training.model.state_dict().items()}


def assert_equal_weights(one: Training, other: Training) -> None:
    expected, found = weights(one), weights(other)
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_the_held_out_loss_falls_below_two_in_sixty_steps(tmp_path: Path) -> None:
    schedule = {"steps": 60, "warmup_steps": 4, "cooldown_steps": 20}
    recipe = tiny_recipe(schedule=schedule)
    notebook = Notebook()
    trained(recipe, tiny_corpus(tmp_path, recipe), notebook)
    losses = [point.validation for point in notebook.points if point.validation is not None]
    assert losses[0] > 4.5
    assert losses[-1] < 2.0


def test_each_step_is_reported_and_the_due_ones_are_checkpoints(tmp_path: Path) -> None:
    recipe = tiny_recipe(first_checkpoint_step=2)
    notebook = Notebook()
    trained(recipe, tiny_corpus(tmp_path, recipe), notebook)
    assert [point.step for point in notebook.points] == list(range(1, 13))
    assert [point.bytes_seen for point in notebook.points[:2]] == [256, 512]
    assert notebook.checkpoints == [2, 6, 12]
    validated = [point.step for point in notebook.points if point.validation is not None]
    assert validated == [2, 4, 6, 8, 12]


def test_the_last_step_is_a_checkpoint_wherever_it_falls(tmp_path: Path) -> None:
    recipe = tiny_recipe(schedule={"steps": 7, "warmup_steps": 0, "cooldown_steps": 0})
    notebook = Notebook()
    trained(recipe, tiny_corpus(tmp_path, recipe), notebook)
    assert notebook.checkpoints == [6, 7]


def test_two_trainings_of_one_recipe_end_with_the_same_weights(tmp_path: Path) -> None:
    recipe = tiny_recipe()
    corpus = tiny_corpus(tmp_path, recipe)
    assert_equal_weights(trained(recipe, corpus, Notebook()), trained(recipe, corpus, Notebook()))


@pytest.mark.parametrize("stop_after", [1, 5, 11])
def test_an_interrupted_training_ends_as_an_uninterrupted_one(
    tmp_path: Path, stop_after: int
) -> None:
    recipe = tiny_recipe()
    corpus = tiny_corpus(tmp_path / "texts", recipe)
    whole = trained(recipe, corpus, Notebook())
    first = trained(recipe, corpus, Notebook(stop_after=stop_after))
    assert first.step == stop_after
    saving.save(first, "card", tmp_path / "checkpoint")
    second = saving.resume(recipe, CPU, tmp_path / "checkpoint")
    notebook = Notebook()
    train(second, corpus, notebook)
    assert notebook.points[0].step == stop_after + 1
    assert_equal_weights(whole, second)
    expected, found = whole.optimizers.state(), second.optimizers.state()
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_accumulated_gradients_are_those_of_one_large_batch(tmp_path: Path) -> None:
    document = recipe_document()
    corpus = tiny_corpus(tmp_path, Recipe.parse(document))
    ends = []
    for sequences, accumulate in ((8, 1), (2, 4)):
        batch = {"sequences": sequences, "accumulate": accumulate}
        recipe = Recipe.parse(changed(document, "batch", **batch))
        training = Training.begin(recipe, CPU)
        ends.append((take_step(training, corpus), weights(training)))
    (one_loss, one), (four_loss, four) = ends
    assert one_loss == pytest.approx(four_loss, rel=1e-5)
    for name, expected in one.items():
        torch.testing.assert_close(four[name], expected, rtol=1e-2, atol=1e-3)


def test_measuring_the_held_out_loss_changes_nothing(tmp_path: Path) -> None:
    recipe = tiny_recipe()
    corpus = tiny_corpus(tmp_path, recipe)
    training = Training.begin(recipe, CPU)
    take_step(training, corpus)
    before = weights(training)
    assert validation_loss(training, corpus) == validation_loss(training, corpus)
    assert all(torch.equal(before[name], tensor) for name, tensor in weights(training).items())


def test_a_finished_training_takes_no_further_step(tmp_path: Path) -> None:
    recipe = tiny_recipe()
    corpus = tiny_corpus(tmp_path, recipe)
    training = trained(recipe, corpus, Notebook())
    notebook = Notebook()
    train(training, corpus, notebook)
    assert training.is_finished
    assert notebook.points == []
