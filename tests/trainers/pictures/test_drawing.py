# SPDX-License-Identifier: Apache-2.0
"""A tiny model learns letters from fonts, is kept, and draws what it is asked for."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assay.signing import canonical
from assay.trainers.commands import main
from assay.trainers.config import Drawing, PictureShape
from assay.trainers.errors import UnusableCheckpoint, UnusablePicture, UnusablePrompt
from assay.trainers.pictures import drawing, files, learning, letters, marking
from assay.trainers.pictures.drawing import Marks
from assay.trainers.pictures.learning import Learnt, Plan
from tests.signing.marking import key

LABELS = ("I", "O")
SHAPE = PictureShape(side=32, channels=1, width=16, steps=8, labels=LABELS)
PLAN = Plan(title="Two letters", shape=SHAPE, steps=400, batch=16, seed=1)
ASKED = Drawing(prompt="O", size=256, seed=3)


@pytest.fixture(scope="module")
def learnt() -> Learnt:
    """Some seconds of a core, from Pillow's own font."""
    return learning.learn(PLAN, letters.drawn(LABELS, (), SHAPE.side))


@pytest.fixture
def folder(learnt: Learnt, tmp_path: Path) -> Path:
    learning.save(learnt, tmp_path / "letters")
    return tmp_path / "letters"


def test_it_draws_the_letter_that_it_is_asked_for(learnt: Learnt) -> None:
    pictures = letters.drawn(LABELS, (), SHAPE.side)
    means = [
        pictures.pictures[pictures.labels == number].mean(dim=0).numpy()[0]
        for number in range(len(LABELS))
    ]
    hits = 0
    for seed in range(4):
        for number, label in enumerate(LABELS):
            asked = Drawing(prompt=label, size=32, seed=seed)
            drawn = drawing.draw(learnt.model, asked)[:, :, 0] / 127.5 - 1
            nearest = min(range(len(LABELS)), key=lambda each: np.abs(drawn - means[each]).sum())
            hits += nearest == number
    assert hits == 8


def test_a_checkpoint_is_kept_and_draws_the_same(learnt: Learnt, folder: Path) -> None:
    assert drawing.is_of_pictures(folder)
    again = drawing.draw(drawing.load_model(folder), ASKED)
    assert np.array_equal(again, drawing.draw(learnt.model, ASKED))
    assert not np.array_equal(again, drawing.draw(learnt.model, replace(ASKED, seed=4)))
    assert again.shape == (256, 256, 1)
    card = (folder / "README.md").read_text()
    assert "pipeline_tag: text-to-image" in card
    assert "`I`, `O`" in card


def test_the_same_training_writes_the_same_bytes(tmp_path: Path) -> None:
    short = replace(PLAN, steps=2)
    pictures = letters.drawn(LABELS, (), SHAPE.side)
    made = [learning.save(learning.learn(short, pictures), tmp_path / name) for name in "ab"]
    assert made[0].id == made[1].id
    other = learning.learn(replace(short, seed=2), pictures)
    assert learning.save(other, tmp_path / "c").id != made[0].id


def test_a_large_picture_is_marked_and_a_small_one_is_not(learnt: Learnt) -> None:
    marks = Marks(key=key())
    plain, marked = drawing.draw(learnt.model, ASKED), drawing.draw(learnt.model, ASKED, marks)
    assert not np.array_equal(plain, marked)
    assert marking.find(marked, [key()]).chance < 1e-9
    small = replace(ASKED, size=224)
    assert np.array_equal(
        drawing.draw(learnt.model, small), drawing.draw(learnt.model, small, marks)
    )


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (replace(ASKED, prompt="Q"), "prompt: expected one of I, O, found 'Q'"),
        (replace(ASKED, size=250), "size: expected a multiple of 32, as the model draws"),
    ],
)
def test_what_it_cannot_draw_is_refused(learnt: Learnt, asked: Drawing, reason: str) -> None:
    with pytest.raises(UnusablePrompt, match=reason):
        drawing.draw(learnt.model, asked)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"architecture": "byte-gpt/v1"}, "architecture: expected"),
        ({"side": 30}, "side: expected a multiple of 4"),
        ({"channels": 2}, "channels: expected 1 or 3"),
        ({"labels": []}, "labels: expected 1 to"),
        ({"labels": ["I", "I"]}, "labels: expected 1 to"),
        ({"width": 24}, "model.safetensors: expected"),
    ],
)
def test_a_checkpoint_of_another_form_is_refused(
    folder: Path, changes: dict[str, object], reason: str
) -> None:
    path = folder / "config.json"
    path.write_bytes(canonical.dumps({**json.loads(path.read_bytes()), **changes}))
    with pytest.raises(UnusableCheckpoint, match=reason):
        drawing.load_model(folder)


def test_the_command_trains_and_says_what_it_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ["letters", "--out", str(out), "--labels", "AAB", "--steps", "1", "--batch", "2"]
    fonts = ["--fonts", str(tmp_path / "none"), "--width", "8"]
    assert main([*words, *fonts]) == 0
    assert "sha256:" in capsys.readouterr().out
    assert json.loads((out / "config.json").read_bytes())["labels"] == ["A", "B"]
    assert main([*words, *fonts]) == 1
    assert "name another folder" in capsys.readouterr().err


def test_fonts_are_found_and_a_broken_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "broken.ttf").write_bytes(b"no font")
    (tmp_path / "words.txt").write_text("no font")
    found = letters.fonts((tmp_path,))
    assert [path.name for path in found] == ["broken.ttf"]
    with pytest.raises(UnusablePicture, match="fonts to draw with"):
        letters.drawn(LABELS, found, 32)


def test_what_is_drawn_is_a_file_of_pictures(learnt: Learnt) -> None:
    pixels = drawing.draw(learnt.model, replace(ASKED, size=64))
    read = files.read(io.BytesIO(files.write(pixels)))
    assert np.array_equal(read[:, :, :1], pixels)
