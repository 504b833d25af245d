# SPDX-License-Identifier: Apache-2.0
"""The demonstration's recipe keeps its promise: well before its end it writes a kind of Python.

The one slow test of the trainers (about a minute): a loss at a fixed step count. The promise is
1.6 nats per byte in two minutes, in which two cores take about 400 steps. The seconds are a
benchmark (bench/first_minutes.py).
"""

import json
import sysconfig
from dataclasses import replace
from pathlib import Path

from assay.signing.digests import sha256
from assay.signing.manifest import FileEntry, Manifest
from assay.trainers import data, runtime
from assay.trainers.config import Recipe
from assay.trainers.loop import Training, train
from assay.trainers.recipes import standard
from assay.trainers.sampling import generate
from tests.thorough import thorough

from .builders import Notebook

GOAL_NATS_PER_BYTE = 1.6
BY_STEP = 350
SAMPLES = 12  # of 240 bytes: one in three has a whole "def "
MARKS = ("\n    ", "self.", "def ")  # what is written has no prompt in it
UNIGRAM_NATS_PER_BYTE = 3.24
NOT_LIBRARY = {"site-packages", "dist-packages", "test", "tests", "__pycache__"}
WRITTEN_DOWN = Path(__file__).parents[2] / "registry" / "site" / "demo_recipe.json"


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


@thorough
def test_before_two_thirds_the_loss_is_below_the_goal_and_the_text_looks_like_python() -> None:
    # Held-out losses change nothing of a training: those of its checkpoints are enough here.
    recipe = replace(Recipe.parse(standard()), validate_every_steps=BY_STEP)
    manifest, contents = standard_library()
    corpus = data.load(
        manifest,
        lambda entry: contents[entry.name],
        one_in=recipe.validation_one_in,
        context_bytes=recipe.model.context_bytes,
    )
    training = Training.begin(recipe, runtime.settle(threads=1))
    notebook = Notebook(stop_after=BY_STEP)
    train(training, corpus, notebook)
    losses = {point.step: point.validation for point in notebook.points if point.validation}
    first, last = losses[recipe.first_checkpoint_step], losses[BY_STEP]
    assert last <= GOAL_NATS_PER_BYTE < first < UNIGRAM_NATS_PER_BYTE
    requests = (replace(recipe.sample, seed=seed) for seed in range(SAMPLES))
    text = "\n".join(generate(training.model.eval(), request) for request in requests)
    assert [mark for mark in MARKS if mark not in text] == []


def test_the_recipe_that_is_written_down_is_the_standard_one() -> None:
    assert json.loads(WRITTEN_DOWN.read_bytes()) == standard()
