# SPDX-License-Identifier: Apache-2.0
"""Five wrong bits of a codeword are turned back, and of more nothing is made that is none."""

from __future__ import annotations

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from assay.signing import bch

BITS = bch.ORDER
FREE = BITS - bch.CHECK_BITS
MESSAGES = st.integers(0, 2**FREE - 1)
PLACES = st.sets(st.integers(0, BITS - 1), max_size=bch.CORRECTED_BITS)
# g(x) of the (127, 92) code in Lin and Costello, Error Control Coding, appendix C.
GENERATOR = 0o624730022327


def word(message: int) -> int:
    return message << bch.CHECK_BITS | bch.checks(message)


def turned(word: int, places: set[int]) -> int:
    return reduce(int.__xor__, (1 << place for place in places), word)


def test_the_code_is_the_one_in_the_book() -> None:
    """The checks of 1 are x³⁵ modulo the generator, which is all of it but its first term."""
    assert word(1) == GENERATOR


@given(MESSAGES, PLACES)
def test_up_to_five_wrong_bits_are_turned_back(message: int, places: set[int]) -> None:
    assert bch.corrected(turned(word(message), places), BITS) == word(message)


@given(st.integers(0, 2**BITS - 1))
def test_whatever_comes_only_codewords_near_it_are_made(anything: int) -> None:
    found = bch.corrected(anything, BITS)
    if found is not None:
        assert word(found >> bch.CHECK_BITS) == found
        assert (found ^ anything).bit_count() <= bch.CORRECTED_BITS


@given(st.integers(0, 2**60 - 1), st.sets(st.integers(95, BITS - 1), min_size=1, max_size=5))
def test_what_would_be_wrong_before_the_beginning_is_nothing(message: int, at: set[int]) -> None:
    """Of 95 bits: a word that is right but for bits that it does not have is no word of theirs."""
    assert bch.corrected(turned(word(message), at), 95) is None
