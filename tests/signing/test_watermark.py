# SPDX-License-Identifier: Apache-2.0
"""The watermark: its coins are fair to whoever lacks the key, and count alike after a copy."""

import itertools
import math
from fractions import Fraction

import pytest

from assay.signing import watermark
from assay.signing.errors import InvalidDocument
from assay.signing.watermark import (
    CONTEXT_BYTES,
    LAYERS,
    LEAST_CHANCE,
    Trail,
    chance,
    count,
    parse_keys,
)
from tests.signing.marking import key, marked, prose


def test_a_marked_text_shows_its_key_and_no_other() -> None:
    text = marked(300, by=key())
    assert count(text, [key()]).p_value < 1e-9
    assert all(count(text, [key(other)]).p_value > 1e-4 for other in range(1, 50))


def test_without_the_key_each_chance_is_as_frequent_as_it_says() -> None:
    text = prose(300)
    found = sorted(count(text, [key(number)]).p_value for number in range(500))
    furthest = max(abs(value - rank / 500) for rank, value in enumerate(found))
    assert furthest < 1.95 / math.sqrt(500)  # Kolmogorov and Smirnov at 0.1 %, of one fixed draw


def test_of_several_keys_the_one_that_fits_is_named_at_the_price_of_all() -> None:
    text = marked(300, by=key(2))
    alone = count(text, [key(2)])
    found = count(text, [key(1), key(2), key(3)])
    assert (found.key, found.heads, found.keys) == (key(2).id, alone.heads, 3)
    assert found.p_value == pytest.approx(3 * alone.p_value)
    assert count(prose(4), [key(1), key(2)]).p_value == 1.0


def test_capitals_and_white_space_change_nothing() -> None:
    text = marked(400, by=key())
    before = count(text, [key()])
    spaced = [text.replace(" ", space) for space in ("\r\n", "\t \n", "  ")]
    for copied in (text.upper(), text + "\n", *spaced):
        assert count(copied, [key()]) == before


def test_a_mark_stays_in_a_part_and_in_what_others_wrote_around_it() -> None:
    text = marked(600, by=key())
    assert count(text[200:400], [key()]).p_value < 1e-6
    assert count(prose(100) + text[100:500] + prose(100, seed=2), [key()]).p_value < 1e-6


def test_a_context_is_counted_once_however_often_it_comes() -> None:
    line = "the same line over and over\n"
    assert count(line * 50, [key()]).places == count(line * 2, [key()]).places
    assert count(line * 50, [key()]).places <= len(line)


def test_there_are_no_coins_before_there_is_a_context() -> None:
    assert count("a" + " " * 50 + "bcde", [key()]).places == 0
    assert count("abcdef", [key()]).places == 0
    assert count("abcdefg", [key()]).places == 1
    assert count("", [key()]).p_value == 1.0


def test_a_run_of_white_space_is_one_byte_of_a_context() -> None:
    trail = Trail()
    for byte in b"ab \n\t cde":
        trail.step(byte)
    assert trail.context == b"ab cde"


def test_what_goes_on_a_run_of_white_space_has_no_coins_and_takes_none_away() -> None:
    trail = Trail()
    for byte in b"abcdef ":
        trail.step(byte)
    for byte in b"\n\t  ":
        assert trail.context == b"bcdef "
        assert not trail.counts(byte)
        trail.step(byte)
    assert trail.counts(ord("g"))
    trail.step(ord("g"))
    assert trail.context == b"cdef g"


def test_coins_are_fair_and_another_byte_or_context_has_others() -> None:
    drawn = [key().coins(bytes(c)) for c in itertools.product(b"abc", repeat=CONTEXT_BYTES)]
    assert len(set(drawn)) == len(drawn)
    tosses = 8 * sum(map(len, drawn))
    ones = sum(int.from_bytes(each, "big").bit_count() for each in drawn)
    assert abs(ones - tosses / 2) < 4 * math.sqrt(tosses) / 2
    assert len(drawn[0]) * 8 == 256 * LAYERS


@pytest.mark.parametrize("coins", [0, 1, 2, 7, 64, 501])
def test_a_chance_is_that_of_the_binomial(coins: int) -> None:
    ways = [math.comb(coins, number) for number in range(coins + 1)]
    for number in range(coins + 1):
        exact = Fraction(sum(ways[number:]), 2**coins)
        assert chance(number, coins) == pytest.approx(float(exact), rel=1e-9)


def test_more_heads_than_coins_have_no_chance_but_the_least_that_is_said() -> None:
    assert chance(3, 2) == LEAST_CHANCE
    assert chance(20_000, 20_000) == LEAST_CHANCE


def test_a_long_text_is_as_exact() -> None:
    """Its normal approximation, as good at this size as a fiftieth."""
    coins, deviations = 1_000_000, 3.0
    number = round(coins / 2 + deviations * math.sqrt(coins) / 2)
    assert chance(number, coins) == pytest.approx(math.erfc(3 / math.sqrt(2)) / 2, rel=0.02)


def test_the_worked_numbers_of_the_specification() -> None:
    (worked,) = parse_keys("an-example-of-a-secret-32-letters-long\n")
    assert worked.id == "545aca0aa20f4513"
    assert worked.coins(b"return")[:8].hex() == "55abf4b4bc1dc62c"
    found = count("def copy(text):\n    return text\n", [worked])
    assert (found.places, found.coins, found.heads) == (21, 336, 166)
    assert found.p_value == pytest.approx(0.60746, abs=1e-5)


def test_the_first_line_marks_and_others_are_looked_for() -> None:
    first, second = parse_keys(f"{'a' * 32}\n{'b' * 32}\n")
    assert first == parse_keys("a" * 32)[0]
    assert second == parse_keys("b" * 32)[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected 1 to 8 lines, found 0"),
        ("\n".join(["a" * 32] * 9), "expected 1 to 8 lines, found 9"),
        ("a" * 31, "expected 32 characters or more in each line, found 31"),
        (f"{'a' * 32}\nb", "expected 32 characters or more in each line, found 1"),
    ],
)
def test_what_holds_no_keys_is_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidDocument, match=said):
        parse_keys(text)


def test_a_key_is_not_printed() -> None:
    assert "secret" not in repr(key())
    assert key().id not in repr(key())
    assert watermark.SCHEME == "tournament/v1"
