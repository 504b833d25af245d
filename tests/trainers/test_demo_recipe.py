# SPDX-License-Identifier: Apache-2.0
"""The demonstration's recipe keeps its promise: at its last step it writes something like Python.

The one slow test of the trainers (about a minute on two cores): a loss at a fixed step count. The
seconds are a benchmark (bench/first_minutes.py), not a test.
"""

import json
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.signing.digests import sha256
from assay.signing.manifest import FileEntry, Manifest
from assay.trainers import data, runtime
from assay.trainers.config import Recipe
from assay.trainers.loop import Training, train
from assay.trainers.recipes import standard
from assay.trainers.runtime import Machine
from assay.trainers.sampling import generate

from .builders import Notebook

GOAL_NATS_PER_BYTE = 1.6
UNIGRAM_NATS_PER_BYTE = 3.24
NOT_LIBRARY = {"site-packages", "dist-packages", "test", "tests", "__pycache__"}
WRITTEN_DOWN = Path(__file__).parents[2] / "docs" / "guides" / "demo-recipe.json"


def standard_library() -> tuple[Manifest, dict[str, bytes]]:
    """The source of the running Python's own library."""
    folder = Path(sysconfig.get_paths()["stdlib"])
    contents = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*.py")
        if NOT_LIBRARY.isdisjoint(path.relative_to(folder).parts) and path.stat().st_size
    }
    entries = [
        FileEntry(name=name, sha256=sha256(content), size=len(content))
        for name, content in contents.items()
    ]
    return Manifest.of(entries), contents


@pytest.fixture
def all_cores() -> Iterator[Machine]:
    yield runtime.settle()
    runtime.settle(threads=1)


def test_at_its_last_step_the_loss_is_below_the_goal_and_the_text_looks_like_python(
    all_cores: Machine,
) -> None:
    recipe = Recipe.parse(standard())
    manifest, contents = standard_library()
    corpus = data.load(
        manifest,
        lambda entry: contents[entry.name],
        one_in=recipe.validation_one_in,
        context_bytes=recipe.model.context_bytes,
    )
    training = Training.begin(recipe, all_cores)
    notebook = Notebook()
    train(training, corpus, notebook)
    losses = {point.step: point.validation for point in notebook.points if point.validation}
    first, last = losses[recipe.first_checkpoint_step], losses[recipe.schedule.steps]
    assert last <= GOAL_NATS_PER_BYTE < first < UNIGRAM_NATS_PER_BYTE
    runtime.settle(threads=1)
    text = recipe.sample.prompt + generate(training.model.eval(), recipe.sample)
    assert "\n    " in text
    assert "self" in text


def test_the_recipe_that_is_written_down_is_the_standard_one() -> None:
    assert json.loads(WRITTEN_DOWN.read_bytes()) == standard()
