# SPDX-License-Identifier: Apache-2.0
"""The tournament: it favours what the key favours, and over all keys it favours nothing."""

import pytest
import torch

from assay.signing.watermark import CONTEXT_BYTES, WatermarkKey, count
from assay.trainers.config import Sampling
from assay.trainers.sampling import generate, is_marked
from assay.trainers.tournament import Tournament
from tests.signing.marking import key

from .test_sampling import noise, request

CONTEXT = b"return"


def chances(*likely: bytes) -> torch.Tensor:
    """The first is half as likely as all others together, and so on; the last two alike."""
    found = torch.zeros(256, dtype=torch.float64)
    for number, each in enumerate(likely):
        found[ord(each)] = 0.5 ** (number + 1)
    return found / found.sum()


def behind(text: bytes, by: WatermarkKey | None) -> Tournament:
    tournament = Tournament(by)
    for byte in text:
        tournament.step(byte)
    return tournament


def long(**changes: object) -> Sampling:
    return request(max_new_bytes=240, temperature="3", **changes)


def test_over_all_keys_each_byte_keeps_its_chance() -> None:
    before = chances(b" ", b"(", b"a", b"_", b"e")
    played = [behind(CONTEXT, key(number)).played(before) for number in range(2000)]
    mean = torch.stack(played).mean(dim=0)
    deviation = torch.stack(played).std(dim=0) / 2000**0.5
    assert ((mean - before).abs() <= 4.5 * deviation).all()
    assert torch.stack(played).std(dim=0)[ord(" ")] > 0.3  # while one key decides for most of it


def test_what_is_played_is_a_chance_for_each_byte_and_none_that_had_none() -> None:
    before = chances(b" ", b"(", b"a")
    for number in range(50):
        after = behind(CONTEXT, key(number)).played(before)
        assert float(after.sum()) == pytest.approx(1.0)
        assert (after >= 0).all()
        assert (after[before == 0] == 0).all()


def test_one_layer_is_the_winner_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """With chances 3/4 and 1/4, and heads for the rarer: it wins unless it is drawn in neither."""
    monkeypatch.setattr(
        "assay.trainers.tournament.coins",
        lambda _: torch.eye(256, dtype=torch.float64)[ord("b")][None],
    )
    before = torch.zeros(256, dtype=torch.float64)
    before[ord("a")], before[ord("b")] = 0.75, 0.25
    after = behind(CONTEXT, key()).played(before)
    assert float(after[ord("b")]) == pytest.approx(1 - 0.75**2)
    assert float(after[ord("a")]) == pytest.approx(0.75**2)


def test_capitals_and_small_letters_share_their_coins() -> None:
    before = chances(b"a", b"A", b"b")
    after = behind(CONTEXT, key(3)).played(before)
    assert float(after[ord("a")] / after[ord("A")]) == pytest.approx(2.0)


def test_behind_white_space_more_of_it_keeps_its_chance_and_the_rest_is_played() -> None:
    before = chances(b" ", b"\n", b"a", b"b")
    tournament = behind(b"return ", key())
    after = tournament.played(before)
    assert torch.equal(after[[0x20, 0x0A]], before[[0x20, 0x0A]])
    assert not torch.allclose(after, before)
    assert float(after.sum()) == pytest.approx(1.0)
    tournament.step(0x20)
    assert torch.equal(tournament.played(before), after)


def test_where_nothing_but_white_space_may_follow_nothing_is_played() -> None:
    before = chances(b" ", b"\n")
    assert torch.equal(behind(b"return ", key()).played(before), before)


@pytest.mark.parametrize(
    ("text", "by"), [(b"retur", key()), (CONTEXT * 2 + b"!" + CONTEXT, key()), (CONTEXT, None)]
)
def test_without_coins_nothing_changes(text: bytes, by: WatermarkKey | None) -> None:
    before = chances(b"a", b"b")
    assert behind(text, by).played(before) is before


def test_what_a_model_writes_with_a_key_shows_it_and_without_it_does_not() -> None:
    model = noise()
    marked, plain = generate(model, long(), key()), generate(model, long())
    assert count(marked, [key()]).p_value < 1e-12
    assert count(plain, [key()]).p_value > 0.001
    assert count(marked, [key(1)]).p_value > 0.001


def test_the_same_request_and_key_give_the_same_text_and_another_key_another() -> None:
    model = noise()
    assert generate(model, long(), key()) == generate(noise(), long(), key())
    assert generate(model, long(), key()) != generate(model, long(), key(1))


def test_the_prompt_is_no_part_of_what_is_marked() -> None:
    """Who copies the answer leaves the prompt behind."""
    text = generate(noise(), long(prompt="x" * 100), key())
    assert count(text, [key()]).p_value < 1e-12
    assert count(text, [key()]).places <= len(text.encode()) - CONTEXT_BYTES


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"max_new_bytes": 200}, False),
        ({"max_new_bytes": 201}, True),
        ({"max_new_bytes": 201, "temperature": "0"}, False),
    ],
)
def test_a_short_text_and_one_without_a_choice_are_not_marked(
    changes: dict[str, object], expected: bool
) -> None:
    asked = request(**changes)
    assert is_marked(asked) is expected
    assert (generate(noise(), asked, key()) != generate(noise(), asked)) is expected
