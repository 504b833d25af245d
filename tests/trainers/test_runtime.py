# SPDX-License-Identifier: Apache-2.0
"""What this machine computes with, and that the tokenizer and the loss agree on any of them."""

import json
import os
from pathlib import Path

import pytest
import torch

from assay.trainers import runtime
from assay.trainers.loop import Training, train
from assay.trainers.runtime import Machine, Precision
from assay.trainers.tokenizer import tokenizer_json

from .builders import Notebook, tiny_corpus, tiny_recipe

CPU_DEVICE = torch.device("cpu")


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ({"avx512_bf16": True}, Precision.BFLOAT16),
        ({"amx_bf16": True, "avx512_bf16": False}, Precision.BFLOAT16),
        ({"avx2": True}, Precision.FLOAT32),
        ({}, Precision.FLOAT32),
    ],
)
def test_bfloat16_is_used_exactly_where_the_processor_has_it(
    monkeypatch: pytest.MonkeyPatch, features: dict[str, bool], expected: Precision
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: features)
    assert runtime.natural_precision(CPU_DEVICE) is expected


def test_settling_makes_torch_deterministic_with_the_threads_asked_for() -> None:
    machine = runtime.settle(threads=1, precision=Precision.FLOAT32)
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.get_num_threads() == machine.threads == 1
    assert machine.to_json()["precision"] == "float32"
    assert machine.to_json()["name"]


@pytest.mark.parametrize("_time", range(2))
def test_the_threads_of_one_test_are_not_the_next_ones(_time: int) -> None:
    assert torch.get_num_threads() == 1
    torch.set_num_threads(2)


def test_without_a_wish_all_cores_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    assert runtime.default_threads() == len(os.sched_getaffinity(0))
    monkeypatch.delattr(os, "sched_getaffinity")  # macOS has none
    assert runtime.default_threads() == os.cpu_count()


def test_in_bfloat16_the_weights_stay_float32_and_the_loss_close(tmp_path: Path) -> None:
    recipe = tiny_recipe()
    corpus = tiny_corpus(tmp_path, recipe)
    losses = []
    for precision in Precision:
        machine = Machine(device=CPU_DEVICE, precision=precision, threads=1)
        training = Training.begin(recipe, machine)
        notebook = Notebook()
        train(training, corpus, notebook)
        assert {tensor.dtype for tensor in training.model.state_dict().values()} == {torch.float32}
        losses.append(notebook.points[-1].validation)
    assert losses[0] == pytest.approx(losses[1], abs=0.05)
    assert losses[0] != losses[1]


def test_the_tokens_of_the_tokenizer_are_the_byte_values() -> None:
    vocabulary = json.loads(tokenizer_json())["model"]["vocab"]
    assert sorted(vocabulary.values()) == list(range(256))
    assert len(vocabulary) == 256
    assert vocabulary["a"] == ord("a")
    assert vocabulary["Ġ"] == ord(" ")  # GPT-2's spelling of a space
    assert vocabulary["Ċ"] == ord("\n")
