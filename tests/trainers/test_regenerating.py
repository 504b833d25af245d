# SPDX-License-Identifier: Apache-2.0
"""`assay-train regenerate`: the same text, another one, or what is missing to tell."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from assay.signing import canonical, trustmark
from assay.signing.certificates import Purpose
from assay.signing.digests import sha256
from assay.signing.statements import Mark, Origin, OutputClaim, commit
from assay.signing.watermark import WatermarkKey
from assay.trainers import saving
from assay.trainers.commands import main
from assay.trainers.config import Drawing, PictureShape, Sampling
from assay.trainers.loop import Training
from assay.trainers.pictures import drawing, files, learning, letters
from assay.trainers.pictures.drawing import Marks
from assay.trainers.pictures.learning import Plan
from assay.trainers.pictures.trustmark import Writer
from assay.trainers.sampling import generate
from tests.signing.marking import key, line
from tests.signing.world import AT, World, manifest_of, output_claim

from .builders import CPU, tiny_recipe
from .pictures import networks

ASKED = {"prompt": "def ", "max_new_bytes": 210, "temperature": "2", "seed": 7}
SALT = bytes(range(32))
Change = Callable[[OutputClaim], OutputClaim]


@pytest.fixture(scope="module")
def world() -> World:
    """One registry."""
    return World.create(at=AT)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tiny checkpoint's files."""
    saving.save(Training.begin(tiny_recipe(), CPU), "card", tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def written(folder: Path, by: WatermarkKey | None = None) -> str:
    return generate(saving.load_model(folder), Sampling.parse(ASKED), by)


def answer(
    world: World, folder: Path, text: str, mark: object = None, change: Change = lambda claim: claim
) -> dict[str, Any]:
    """What the registry answered about a text of this checkpoint."""
    files = contents(folder)
    below = world._sign_below(files)
    id_, statement = manifest_of(files).id, sha256(below["checkpoint"].envelope.payload)
    document = {"checkpoint": f"sha256:{id_}", **ASKED}
    claim = change(
        replace(
            output_claim(text, id_, statement),
            request_commitment=commit(SALT, document),
            generation={"mark": mark},
        )
    )
    signed = {"output": world.sign(claim.statement(), Purpose.OUTPUT, world.alice), **below}
    request = {"document": document, "salt": SALT.hex()}
    evidence = world._evidence(signed, files).to_json()
    return {"text": text, "request": request, "evidence": evidence}


def regenerate(folder: Path, said: dict[str, Any], *words: object) -> int:
    path = folder.parent / "answer.json"
    path.write_bytes(canonical.dumps(said))
    return main(["regenerate", str(path), "--checkpoint", str(folder), *map(str, words)])


def test_the_same_text_comes_again(
    world: World, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = written(folder)
    assert regenerate(folder, answer(world, folder, text)) == 0
    assert f"The same text, to the byte: sha256:{sha256(text.encode())}." in capsys.readouterr().out


def test_a_statement_from_before_there_were_marks_is_asked_again(
    world: World, folder: Path
) -> None:
    old: Change = lambda claim: replace(claim, generation={"seed": 7})  # noqa: E731 - a value here
    assert regenerate(folder, answer(world, folder, written(folder), change=old)) == 0


def test_a_marked_text_comes_again_with_the_key_and_only_with_it(
    world: World, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = answer(
        world, folder, written(folder, key()), Mark(scheme="tournament/v1", key=key().id).to_json()
    )
    file, other = folder.parent / "key", folder.parent / "other"
    file.write_text(f"{line(5)}\n{line(0)}\n")
    other.write_text(line(5))
    assert regenerate(folder, said, "--watermark-key", file) == 0
    for words in ((), ("--watermark-key", other)):
        assert regenerate(folder, said, *words) == 4
        assert f"the watermark of the key {key().id}" in capsys.readouterr().err


def test_another_text_is_said_with_where_it_differs(
    world: World, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = written(folder)
    other = text[:100] + ("a" if text[100] != "a" else "b") + text[101:]
    assert regenerate(folder, answer(world, folder, other)) == 3
    said = capsys.readouterr().err
    assert f"alike up to byte {len(text[:100].encode())}." in said
    assert "Another processor" in said
    assert regenerate(folder, answer(world, folder, text[:-1])) == 3
    assert f"alike up to byte {len(text[:-1].encode())}." in capsys.readouterr().err
    assert regenerate(folder, answer(world, folder, other) | {"text": None}) == 3
    assert "alike" not in capsys.readouterr().err


def test_a_text_said_to_be_marked_and_written_without_is_another(
    world: World, folder: Path
) -> None:
    said = answer(
        world, folder, written(folder), Mark(scheme="tournament/v1", key=key().id).to_json()
    )
    (folder.parent / "key").write_text(line(0))
    assert regenerate(folder, said, "--watermark-key", folder.parent / "key") == 3


def _without(field: str) -> Callable[[dict[str, Any]], object]:
    return lambda said: said.pop(field)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_without("request"), "found no `request` in it"),
        (_without("evidence"), "found no `request` in it"),
        (lambda said: said["evidence"]["bundles"].pop("output"), "expected the evidence of an"),
        (lambda said: said["request"].update(salt="00" * 32), "expected the request that was"),
        (lambda said: said["request"]["document"].update(seed=8), "expected the request that"),
        (lambda said: said["request"].update(salt="00"), "request.salt: expected"),
        (lambda said: said["evidence"]["manifest"]["files"].pop(), "evidence with the manifest"),
        (lambda said: said.update(request=[]), "request: expected"),
    ],
)
def test_what_is_missing_or_does_not_fit_is_said(
    world: World,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[dict[str, Any]], object],
    reason: str,
) -> None:
    said = json.loads(json.dumps(answer(world, folder, written(folder))))
    change(said)
    assert regenerate(folder, said) == 1
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda claim: replace(
                claim, claim=Origin.CALLER_ASSERTED, request_commitment=None, generation=None
            ),
            "a caller's word",
        ),
        (
            lambda claim: replace(claim, generation={"mark": {"scheme": "new/v9", "key": "k"}}),
            "found one with 'new/v9'",
        ),
    ],
)
def test_what_nobody_can_generate_again_is_said(
    world: World,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    change: Change,
    reason: str,
) -> None:
    assert regenerate(folder, answer(world, folder, written(folder), change=change)) == 1
    assert reason in capsys.readouterr().err


DRAWING = {"prompt": "A", "size": 256, "seed": 7}


@pytest.fixture
def letters_folder(tmp_path: Path) -> Path:
    """A tiny checkpoint that draws."""
    shape = PictureShape(side=32, channels=1, width=8, steps=2, labels=("A",))
    plan = Plan(title="A", shape=shape, steps=1, batch=2, seed=1)
    learning.save(learning.learn(plan, letters.drawn(("A",), (), 32)), tmp_path / "letters")
    return tmp_path / "letters"


def picture_answer(world: World, folder: Path, file: bytes, mark: object) -> dict[str, Any]:
    document = {"checkpoint": f"sha256:{manifest_of(contents(folder)).id}", **DRAWING}
    change: Change = lambda claim: replace(  # noqa: E731 - a value here
        claim,
        exact_sha256=sha256(file),
        normalised_sha256=None,
        media_type="image/png",
        request_commitment=commit(SALT, document),
    )
    said = answer(world, folder, "", mark, change)
    return {**said, "text": None, "request": {"document": document, "salt": SALT.hex()}}


def test_a_picture_comes_again_to_the_pixel_however_its_file_was_written(
    world: World, letters_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    id_ = f"sha256:{manifest_of(contents(letters_folder)).id}"
    model = drawing.load_model(letters_folder)
    pixels = drawing.draw(model, Drawing.parse(DRAWING), Marks(key=key()), id_)
    file = letters_folder.parent / "picture.webp"
    kept = io.BytesIO()
    Image.fromarray(pixels[:, :, 0]).save(kept, "PNG", compress_level=1)
    file.write_bytes(kept.getvalue())
    (letters_folder.parent / "key").write_text(line(0))
    marked = Mark(scheme="tile/v1", key=key().id).to_json()
    words = ("--watermark-key", letters_folder.parent / "key", "--picture", file)
    said = picture_answer(world, letters_folder, file.read_bytes(), marked)
    assert regenerate(letters_folder, said, *words) == 0
    assert "The same picture, to the pixel" in capsys.readouterr().out
    assert regenerate(letters_folder, said, *words[:2]) == 1
    assert "name it with --picture" in capsys.readouterr().err
    assert regenerate(letters_folder, said, *words[2:]) == 4
    unmarked = picture_answer(world, letters_folder, file.read_bytes(), None)
    assert regenerate(letters_folder, unmarked, *words[2:]) == 3
    assert "pixels differ" in capsys.readouterr().err
    file.write_bytes(b"another file")
    assert regenerate(letters_folder, said, *words) == 1
    assert "expected the picture sha256:" in capsys.readouterr().err


def test_a_picture_with_trustmarks_mark_comes_again_with_its_networks(
    world: World,
    letters_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "networks"
    monkeypatch.setattr(trustmark, "SHA256", networks.made(folder))
    id_ = f"sha256:{manifest_of(contents(letters_folder)).id}"
    marks = Marks(key=key(), trustmark=Writer(folder))
    pixels = drawing.draw(drawing.load_model(letters_folder), Drawing.parse(DRAWING), marks, id_)
    (tmp_path / "picture.png").write_bytes(files.write(pixels))
    (tmp_path / "key").write_text(line(0))
    stated = Mark(scheme=marks.scheme, key=key().id).to_json()
    file = (tmp_path / "picture.png").read_bytes()
    said = picture_answer(world, letters_folder, file, stated)
    words = ("--watermark-key", tmp_path / "key", "--picture", tmp_path / "picture.png")
    assert regenerate(letters_folder, said, *words, "--trustmark", folder) == 0
    assert regenerate(letters_folder, said, *words) == 4
    assert "with --trustmark FOLDER" in capsys.readouterr().err
    without = picture_answer(
        world, letters_folder, file, Mark(scheme="tile/v1", key=key().id).to_json()
    )
    assert regenerate(letters_folder, without, *words, "--trustmark", folder) == 3


def test_a_picture_of_another_size_is_another(world: World, letters_folder: Path) -> None:
    file = letters_folder.parent / "small.png"
    file.write_bytes(files.write(np.zeros((32, 32, 1), dtype=np.uint8)))
    said = picture_answer(world, letters_folder, file.read_bytes(), None)
    assert regenerate(letters_folder, said, "--picture", file) == 3


def test_other_weights_are_not_asked(
    world: World, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = answer(world, folder, written(folder))
    (folder / "config.json").write_bytes((folder / "config.json").read_bytes() + b"\n")
    assert regenerate(folder, said) == 1
    assert "config.json: expected sha256:" in capsys.readouterr().err


def test_a_checkpoint_without_weights_writes_nothing(
    world: World, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = written(folder)
    (folder / "model.safetensors").unlink()
    assert regenerate(folder, answer(world, folder, text)) == 1
    assert "a file model.safetensors, found none" in capsys.readouterr().err
