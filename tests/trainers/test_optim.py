# SPDX-License-Identifier: Apache-2.0
"""Which optimizer has which parameter, what decays, and the rates over a training."""

from pathlib import Path

import pytest
import torch

from assay.trainers.config import Rates, Schedule
from assay.trainers.errors import UnusableCheckpoint
from assay.trainers.loop import Training, take_step
from assay.trainers.optim import FINAL_FACTOR, Optimizers, rate_factor

from .builders import CPU, tiny_corpus, tiny_recipe


def fresh() -> Training:
    return Training.begin(tiny_recipe(), CPU)


def groups_of(optimizers: Optimizers) -> list[tuple[str, float, list[str]]]:
    """Optimizer, weight decay and parameter names of each group."""
    return [
        (name, group["weight_decay"], [optimizers._names[each] for each in group["params"]])
        for name, optimizer in optimizers._both.items()
        for group in optimizer.param_groups
    ]


def test_every_vector_is_adamws_and_never_decays() -> None:
    training = fresh()
    vectors = {name for name, p in training.model.named_parameters() if p.ndim < 2}
    assert vectors
    for optimizer, weight_decay, names in groups_of(training.optimizers):
        if vectors & set(names):
            assert (optimizer, weight_decay) == ("adamw", 0.0)
            assert set(names) == vectors


def test_muon_has_exactly_the_hidden_matrices() -> None:
    training = fresh()
    hidden = {
        name
        for name, parameter in training.model.named_parameters()
        if parameter.ndim == 2 and name != "embedding.weight"
    }
    by_optimizer = {optimizer: set(names) for optimizer, _, names in groups_of(training.optimizers)}
    assert by_optimizer["muon"] == hidden
    assert len(hidden) == 2 * 6


def test_every_parameter_is_in_exactly_one_group() -> None:
    training = fresh()
    names = [name for _, _, group in groups_of(training.optimizers) for name in group]
    assert sorted(names) == sorted(name for name, _ in training.model.named_parameters())


def test_the_rate_warms_up_stays_and_cools_down() -> None:
    schedule = Schedule(steps=20, warmup_steps=4, cooldown_steps=5)
    factors = [rate_factor(step, schedule) for step in range(1, 21)]
    assert factors[:4] == [0.25, 0.5, 0.75, 1.0]
    assert factors[4:15] == [1.0] * 11
    assert factors[15:] == [1.0, 0.8, 0.6, 0.4, 0.2]


def test_the_last_rate_is_never_nothing() -> None:
    schedule = Schedule(steps=1000, warmup_steps=0, cooldown_steps=1000)
    assert rate_factor(1, schedule) == 1.0
    assert rate_factor(1000, schedule) == FINAL_FACTOR


def test_no_gradient_is_longer_than_the_clip_norm_allows(tmp_path: Path) -> None:
    training = fresh()
    rates = Rates(muon=0.0, adamw=0.001, weight_decay=0.0, clip_norm=1e-9)
    training.optimizers = Optimizers(training.model, rates)
    before = training.model.norm.weight.detach().clone()
    take_step(training, tiny_corpus(tmp_path, training.recipe))
    # AdamW divides by the gradient's size plus 1e-8: a clipped gradient hardly moves anything.
    assert torch.allclose(before, training.model.norm.weight, atol=1e-4)


def test_a_state_with_a_value_missing_is_refused(tmp_path: Path) -> None:
    training = fresh()
    take_step(training, tiny_corpus(tmp_path, training.recipe))
    state = training.optimizers.state()
    del state["muon/blocks.0.feed.up.weight/momentum_buffer"]
    with pytest.raises(UnusableCheckpoint, match=r"expected a value for muon/.*, found none"):
        fresh().optimizers.restore(state)


def test_a_state_with_a_value_too_many_is_refused(tmp_path: Path) -> None:
    training = fresh()
    take_step(training, tiny_corpus(tmp_path, training.recipe))
    state = {**training.optimizers.state(), "muon/other/momentum_buffer": torch.zeros(1)}
    with pytest.raises(UnusableCheckpoint, match="expected no value for muon/other"):
        fresh().optimizers.restore(state)
