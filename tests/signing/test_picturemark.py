# SPDX-License-Identifier: Apache-2.0
"""The pure half of the pictures' watermark: its coins, its numbers, and what chance may do."""

import math

import pytest

from assay.signing import picturemark
from assay.signing.watermark import LEAST_CHANCE

from .marking import key

DOCUMENT = {"checkpoint": "sha256:00", "prompt": "A", "size": 512, "seed": 7}


def test_each_key_and_layer_has_coins_of_its_own() -> None:
    drawn = {picturemark.chips(key(number), layer) for number in (0, 1) for layer in range(4)}
    assert len(drawn) == 8
    assert {len(each) for each in drawn} == {128}
    assert picturemark.chips(key(), 0)[:8].hex() == "bdcdcef05699c81b"


def test_a_request_has_one_number_under_one_key() -> None:
    number = picturemark.payload(key(), DOCUMENT)
    assert 0 <= number < 2**30
    assert number == picturemark.payload(key(), dict(reversed(DOCUMENT.items())))
    assert number != picturemark.payload(key(1), DOCUMENT)
    assert number != picturemark.payload(key(), {**DOCUMENT, "seed": 8})


@pytest.mark.parametrize("number", [0, 1, 1023, 1024, 2**30 - 1, 123_456_789])
def test_a_number_is_read_as_it_was_written(number: int) -> None:
    moved = picturemark.symbols(number)
    assert len(moved) == picturemark.SYMBOLS
    assert all(0 <= symbol < 1024 for symbol in moved)
    assert picturemark.number(moved) == number


def test_what_chance_may_do_is_bounded() -> None:
    assert picturemark.chance(-3.0, 10) == 1.0
    assert picturemark.chance(1.0, 1000) == 1.0
    assert picturemark.chance(8.0, 1000) == pytest.approx(1000 * math.exp(-32))
    assert picturemark.chance(100.0, 1) == LEAST_CHANCE
