# SPDX-License-Identifier: Apache-2.0
"""A checkpoint's folder: what is in it, that it round-trips, and what is refused."""

import json
import os
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from assay.trainers import saving
from assay.trainers.card import Origin, card
from assay.trainers.errors import UnusableCheckpoint
from assay.trainers.loop import LossPoint, Training, take_step
from assay.trainers.runtime import Precision

from .builders import CPU, tiny_corpus, tiny_recipe


def training_after(steps: int, folder: Path) -> Training:
    recipe = tiny_recipe()
    corpus = tiny_corpus(folder, recipe)
    training = Training.begin(recipe, CPU)
    for _ in range(steps):
        take_step(training, corpus)
    return training


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    saving.save(training_after(2, tmp_path / "texts"), "# Card\n", tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


def header_of(path: Path) -> dict[str, dict[str, object]]:
    """A safetensors header, read by hand: 8 bytes of length, then JSON."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header: dict[str, dict[str, object]] = json.loads(data[8 : 8 + length])
    return header


def test_the_folder_holds_the_five_files_of_its_manifest(tmp_path: Path) -> None:
    training = training_after(1, tmp_path / "texts")
    manifest = saving.save(training, "# Card\n", tmp_path / "checkpoint")
    names = ["README.md", "config.json", "model.safetensors", "tokenizer.json"]
    assert [file.name for file in manifest.files] == [*names, "training-state.safetensors"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint", "texts"]


def test_the_same_training_saves_the_same_bytes(tmp_path: Path) -> None:
    one = saving.save(training_after(2, tmp_path / "texts"), "card", tmp_path / "one")
    other = saving.save(training_after(2, tmp_path / "texts"), "card", tmp_path / "other")
    assert one.id == other.id


def test_a_checkpoint_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "checkpoint"
    synced: list[tuple[str, bool]] = []
    fsync = os.fsync

    def recorded(descriptor: int) -> None:
        fsync(descriptor)
        name = Path(f"/proc/self/fd/{descriptor}").readlink().name
        synced.append((name, folder.exists()))

    monkeypatch.setattr(os, "fsync", recorded)
    manifest = saving.save(Training.begin(tiny_recipe(), CPU), "card", folder)
    before = {name for name, is_named in synced if not is_named}
    assert before == {*(file.name for file in manifest.files), ".checkpoint.part"}
    assert synced[-1] == (tmp_path.name, True)


def test_weights_round_trip(tmp_path: Path) -> None:
    training = training_after(2, tmp_path / "texts")
    saving.save(training, "card", tmp_path / "checkpoint")
    model = saving.load_model(tmp_path / "checkpoint")
    saved = training.model.state_dict()
    assert all(torch.equal(saved[name], tensor) for name, tensor in model.state_dict().items())
    assert not model.training


def test_the_safetensors_header_is_plain(folder: Path) -> None:
    header = header_of(folder / "model.safetensors")
    assert header.pop("__metadata__") == {"format": "pt"}
    assert {entry["dtype"] for entry in header.values()} == {"F32"}
    assert header["embedding.weight"]["shape"] == [256, 32]
    state = header_of(folder / "training-state.safetensors")
    assert state["__metadata__"] == {"training": '{"precision":"float32","step":2}'}


def test_the_config_says_what_the_model_is(folder: Path) -> None:
    assert json.loads((folder / "config.json").read_bytes()) == {
        "architecture": "byte-gpt/v1",
        "context_bytes": 32,
        "heads": 2,
        "layers": 2,
        "vocabulary": 256,
        "width": 32,
    }


def test_saving_over_a_folder_replaces_it_whole(folder: Path, tmp_path: Path) -> None:
    (folder / "left-over.txt").write_text("old", encoding="utf-8")
    manifest = saving.save(training_after(1, tmp_path / "texts"), "card", folder)
    assert sorted(path.name for path in folder.iterdir()) == [f.name for f in manifest.files]


def test_the_precision_of_a_training_is_saved_with_it(folder: Path) -> None:
    assert saving.saved_precision(folder) is Precision.FLOAT32


def test_resuming_takes_up_step_weights_and_optimizers(folder: Path) -> None:
    training = saving.resume(tiny_recipe(), CPU, folder)
    assert training.step == 2
    assert training.bytes_seen == 2 * 256
    assert (
        training.optimizers.state().keys()
        == load_file(folder / "training-state.safetensors").keys()
    )


def test_a_checkpoint_of_another_shape_is_not_resumed(folder: Path) -> None:
    shape = {"layers": 1, "width": 32, "heads": 2, "context_bytes": 32}
    with pytest.raises(UnusableCheckpoint, match=r"config\.json: expected .*layers=1"):
        saving.resume(tiny_recipe(model=shape), CPU, folder)


def test_weights_that_do_not_fit_the_config_are_refused(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["norm.weight"] = torch.ones(31)
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(UnusableCheckpoint, match=r"expected norm\.weight as torch.Size\(\[32\]\)"):
        saving.load_model(folder)


def test_weights_that_are_missing_are_named(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights["norm.weight"]
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(UnusableCheckpoint, match=r"expected norm\.weight .*, found None"):
        saving.load_model(folder)


def test_a_pickle_under_the_name_of_weights_is_refused(folder: Path) -> None:
    torch.save({"weights": torch.ones(3)}, folder / "model.safetensors")
    with pytest.raises(
        UnusableCheckpoint, match=r"model\.safetensors: expected a checkpoint's file"
    ):
        saving.load_model(folder)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ("{", "expected JSON"),
        ("[]", "expected an object"),
        ('{"architecture":"other/v1"}', "architecture: expected byte-gpt/v1"),
        ('{"architecture":"byte-gpt/v1","vocabulary":50257}', "vocabulary: expected an integer"),
        ('{"architecture":"byte-gpt/v1","vocabulary":256}', "layers: expected a value"),
    ],
)
def test_a_config_of_something_else_is_refused(folder: Path, config: str, reason: str) -> None:
    (folder / "config.json").write_text(config, encoding="utf-8")
    with pytest.raises(UnusableCheckpoint, match=reason):
        saving.load_model(folder)


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_a_file_that_is_missing_is_named(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    with pytest.raises(UnusableCheckpoint, match=missing):
        saving.load_model(folder)


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"training": '{"precision":"float32","step":"two"}'}, "step: expected an integer"),
        ({"training": '{"precision":"float32"}'}, "step: expected a value"),
        ({"training": "step 2"}, "expected JSON"),
        (None, "expected JSON"),
    ],
)
def test_a_state_without_its_step_is_refused(
    folder: Path, metadata: dict[str, str] | None, reason: str
) -> None:
    state = load_file(folder / "training-state.safetensors")
    save_file(state, folder / "training-state.safetensors", metadata)
    with pytest.raises(UnusableCheckpoint, match=reason):
        saving.resume(tiny_recipe(), CPU, folder)


def test_a_state_of_an_unknown_precision_is_refused(folder: Path) -> None:
    save_file({}, folder / "training-state.safetensors", {"training": '{"precision":"int3"}'})
    with pytest.raises(UnusableCheckpoint, match="expected a known precision, found 'int3'"):
        saving.saved_precision(folder)


def test_a_missing_state_is_named(folder: Path) -> None:
    (folder / "training-state.safetensors").unlink()
    with pytest.raises(UnusableCheckpoint, match=r"training-state\.safetensors"):
        saving.saved_precision(folder)


def test_the_card_says_what_the_checkpoint_is() -> None:
    point = LossPoint(step=6, bytes_seen=1536, train=2.5, validation=2.75, seconds=1.0)
    origin = Origin(title="alice/code", data="12 files", rules="Be kind.")
    written = card(origin, tiny_recipe(), point, 12_345)
    assert "# alice/code, step 6" in written
    assert "| parameters | 12,345 |" in written
    assert "2.5000 nats per byte in training, 2.7500 on held-out files" in written
    assert written.endswith("## Rules of use\n\nBe kind.\n")


def test_a_card_without_rules_has_no_empty_section() -> None:
    point = LossPoint(step=6, bytes_seen=1536, train=2.5, validation=None, seconds=1.0)
    written = card(Origin(title="texts", data="12 files"), tiny_recipe(), point, 1)
    assert "not measured on held-out files" in written
    assert "Rules" not in written
