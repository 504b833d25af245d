# SPDX-License-Identifier: Apache-2.0
"""An export: a standard architecture's names, sizes and words, made of a checkpoint as it is."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from assay.signing.digests import as_id
from assay.signing.manifest import Manifest
from assay.trainers import saving
from assay.trainers.commands import main
from assay.trainers.errors import FolderTaken, UnusableCheckpoint
from assay.trainers.export import export
from assay.trainers.loop import Training

from .builders import CPU, tiny_recipe

CARD = "---\nlibrary_name: assay\n---\n# Small\n\n## Rules of use\n\nBe kind.\n"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    saving.save(Training.begin(tiny_recipe(), CPU), CARD, tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


@pytest.fixture
def exported(checkpoint: Path, tmp_path: Path) -> Path:
    export(checkpoint, tmp_path / "out")
    return tmp_path / "out"


def tensors(exported: Path) -> dict[str, Tensor]:
    return load_file(exported / "model.safetensors")


def test_every_tensor_has_the_standard_name_and_a_bias(exported: Path) -> None:
    found = tensors(exported)
    layer = {name for name in found if name.startswith("model.layers.1.")}
    parts = ("query_key_value", "q_layernorm", "k_layernorm", "dense")
    ends = {
        *(f"self_attn.{part}" for part in parts),
        *(f"mlp.{part}" for part in ("dense_h_to_4h", "dense_4h_to_h")),
        *("input_layernorm", "post_attention_layernorm"),
    }
    assert layer == {f"model.layers.1.{end}.{kind}" for end in ends for kind in ("weight", "bias")}
    assert found["model.layers.0.self_attn.query_key_value.weight"].shape == (96, 32)
    assert not any(tensor.any() for name, tensor in found.items() if name.endswith(".bias"))


def test_each_head_has_its_query_key_and_value_together(checkpoint: Path, exported: Path) -> None:
    ours = saving.load_model(checkpoint).state_dict()
    fused = tensors(exported)["model.layers.1.self_attn.query_key_value.weight"]
    second_head = fused[48:].chunk(3)  # of two, each with 16 rows of each kind
    for rows, part in zip(second_head, ("query", "key", "value"), strict=True):
        assert torch.equal(rows, ours[f"blocks.1.attention.{part}.weight"][16:])


def test_the_config_says_what_the_standard_model_is(exported: Path) -> None:
    config = json.loads((exported / "config.json").read_bytes())
    assert (config["model_type"], config["architectures"]) == (
        "persimmon",
        ["PersimmonForCausalLM"],
    )
    assert (config["hidden_size"], config["num_hidden_layers"]) == (32, 2)
    assert (config["max_position_embeddings"], config["hidden_act"]) == (32, "relu2")
    assert config["tie_word_embeddings"] is True
    assert "auto_map" not in config


def test_the_card_names_the_checkpoint_and_keeps_its_rules(
    checkpoint: Path, exported: Path
) -> None:
    card = (exported / "README.md").read_text()
    assert as_id(Manifest.of_folder(checkpoint).id) in card
    assert "## Rules of use\n\nBe kind.\n" in card
    assert card.count("library_name") == 1


def test_the_same_checkpoint_gives_the_same_bytes(
    checkpoint: Path, exported: Path, tmp_path: Path
) -> None:
    assert export(checkpoint, tmp_path / "again") == Manifest.of_folder(exported)


def test_nothing_is_written_over(checkpoint: Path, exported: Path) -> None:
    before = Manifest.of_folder(exported)
    with pytest.raises(FolderTaken, match="expected no folder"):
        export(checkpoint, exported)
    assert Manifest.of_folder(exported) == before


def test_what_is_no_checkpoint_leaves_nothing(exported: Path, tmp_path: Path) -> None:
    with pytest.raises(UnusableCheckpoint, match=r"config\.json"):
        export(exported, tmp_path / "twice")
    assert not (tmp_path / "twice").exists()


def test_the_command_says_what_it_wrote_or_why_not(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["export", str(checkpoint), "--out", str(tmp_path / "out")]
    assert main(words) == 0
    assert as_id(Manifest.of_folder(tmp_path / "out").id) in capsys.readouterr().out
    assert main(words) == 1
    assert "assay-train: expected no folder" in capsys.readouterr().err
