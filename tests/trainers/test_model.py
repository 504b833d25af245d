# SPDX-License-Identifier: Apache-2.0
"""The model: its exact size, that it cannot see ahead, and that its two ways of reading agree."""

import torch

from assay.trainers.config import ModelShape, Recipe
from assay.trainers.models.byte_gpt import ByteGPT, initialised
from assay.trainers.recipes import standard

SHAPE = ModelShape(layers=2, width=32, heads=2, context_bytes=32)


def model() -> ByteGPT:
    """A model whose blocks do something: their last matrices start at zero."""
    made = initialised(SHAPE, seed=1)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return made.eval()


def some_bytes(count: int) -> torch.Tensor:
    return torch.randint(256, (1, count), generator=torch.Generator().manual_seed(3))


def test_the_number_of_parameters_is_exactly_that_of_the_formula() -> None:
    for shape in (SHAPE, ModelShape(layers=4, width=192, heads=3, context_bytes=256)):
        embedding = 256 * shape.width
        block = 4 * shape.width**2 + 8 * shape.width**2 + 2 * shape.width
        expected = embedding + shape.layers * block + shape.width
        assert ByteGPT(shape).parameter_count == expected


def test_the_standard_shape_has_623_488_parameters() -> None:
    shape = Recipe.parse(standard()).model
    assert ByteGPT(shape).parameter_count == 623_488


def test_scores_have_one_value_for_each_byte() -> None:
    scores = model()(torch.zeros((3, 7), dtype=torch.long))
    assert scores.shape == (3, 7, 256)
    assert scores.dtype == torch.float32


def test_a_later_byte_changes_no_earlier_score() -> None:
    ours = model()
    some = some_bytes(12)
    changed = some.clone()
    changed[0, 8] = (changed[0, 8] + 1) % 256
    before, after = ours(some), ours(changed)
    assert torch.equal(before[0, :8], after[0, :8])
    assert not torch.equal(before[0, 8:], after[0, 8:])


def test_an_untrained_model_holds_every_byte_equally_likely() -> None:
    fresh = initialised(SHAPE, seed=1)
    some = some_bytes(32)
    loss = fresh.loss(some[:, :-1], some[:, 1:]).item()
    assert abs(loss - 5.545) < 0.05  # ln 256


def test_reading_byte_by_byte_gives_the_scores_of_reading_at_once() -> None:
    ours = model()
    some = some_bytes(20)
    seen = ours.nothing_seen()
    parts = [ours(some[:, :5], seen)]
    parts += [ours(some[:, place : place + 1], seen) for place in range(5, 20)]
    torch.testing.assert_close(torch.cat(parts, dim=1), ours(some))
    assert seen[0].count == 20


def test_the_output_matrix_is_the_embedding() -> None:
    assert "embedding.weight" in dict(model().named_parameters())
    assert not any("head" in name for name, _ in model().named_parameters())


def test_weights_depend_on_the_seed_alone() -> None:
    torch.manual_seed(5)
    one = initialised(SHAPE, seed=1)
    torch.manual_seed(6)
    same, other = initialised(SHAPE, seed=1), initialised(SHAPE, seed=2)
    assert torch.equal(one.embedding.weight, same.embedding.weight)
    assert not torch.equal(one.embedding.weight, other.embedding.weight)
