# SPDX-License-Identifier: Apache-2.0
"""A BCH code of 127 bits, 92 of which are free: up to five wrong ones are found and turned back.

Binary, primitive, of designed distance 11, over the field of 128 that x⁷ + x³ + 1 makes (Lin and
Costello, *Error Control Coding*, 6.1 to 6.3). Words are numbers, whose bit i is the coefficient of
xⁱ; shortened ones begin with zeros that nobody writes. `a` is the root of that polynomial, whose
powers are all of the field but 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

CORRECTED_BITS = 5
CHECK_BITS = 35
ORDER = 127
_PRIMITIVE = 0b10001001


def _powers() -> Iterator[int]:
    power = 1
    for _ in range(ORDER):
        yield power
        power <<= 1
        if power > ORDER:
            power ^= _PRIMITIVE


_EXP = tuple(_powers())
_LOG = {power: at for at, power in enumerate(_EXP)}


def _times(one: int, other: int) -> int:
    return _EXP[(_LOG[one] + _LOG[other]) % ORDER] if one and other else 0


def _minimal(root: int) -> int:
    """The polynomial of the fewest terms over {0, 1} that a to this power is a root of."""
    product = [1]  # the constant term first
    for place in range(7):
        conjugate = _EXP[(root << place) % ORDER]
        risen, scaled = [0, *product], [*(_times(each, conjugate) for each in product), 0]
        product = [one ^ other for one, other in zip(risen, scaled, strict=True)]
    return sum(bit << at for at, bit in enumerate(product))


def _product(one: int, other: int) -> int:
    """Of two polynomials over {0, 1}."""
    return reduce(int.__xor__, (one << at for at in range(other.bit_length()) if other >> at & 1))


# The even powers' are those of the odd ones, since squaring permutes the roots of each.
_GENERATOR = reduce(_product, (_minimal(root) for root in range(1, 2 * CORRECTED_BITS, 2)))


def checks(message: int) -> int:
    """The CHECK_BITS that stand behind a message of at most 92 bits."""
    left = message << CHECK_BITS
    while left.bit_length() > CHECK_BITS:
        left ^= _GENERATOR << (left.bit_length() - 1 - CHECK_BITS)
    return left


def corrected(word: int, length: int) -> int | None:
    """The codeword of so many bits that differs in at most five; None where there is none."""
    found = [_at_power(word, power) for power in range(1, 2 * CORRECTED_BITS + 1)]
    if not any(found):
        return word
    locator = _locator(found)
    wrong = [at for at in range(length) if _value(locator, -at % ORDER) == 0]
    if not len(wrong) == len(locator) - 1 <= CORRECTED_BITS:
        return None
    return reduce(int.__xor__, (1 << at for at in wrong), word)


def _at_power(word: int, power: int) -> int:
    """What the word's polynomial is at a to this power: 0 for each of a codeword's."""
    terms = (_EXP[at * power % ORDER] for at in range(word.bit_length()) if word >> at & 1)
    return reduce(int.__xor__, terms, 0)


def _locator(syndromes: list[int]) -> list[int]:
    """The shortest polynomial whose roots are where the wrong bits are (Berlekamp, Massey)."""
    found, before = [1], [1]
    since, discrepancy_before = 1, 1
    for at in range(len(syndromes)):
        discrepancy = 0
        for place, term in enumerate(found[: at + 1]):
            discrepancy ^= _times(term, syndromes[at - place])
        if not discrepancy:
            since += 1
            continue
        share = _EXP[(_LOG[discrepancy] - _LOG[discrepancy_before]) % ORDER]
        correction = [0] * since + [_times(share, each) for each in before]
        longer = max(len(found), len(correction))
        updated = [
            one ^ other
            for one, other in zip(_filled(found, longer), _filled(correction, longer), strict=True)
        ]
        if 2 * (len(found) - 1) <= at:
            before, discrepancy_before, since = found, discrepancy, 1
        else:
            since += 1
        found = updated
    return found


def _filled(terms: list[int], length: int) -> list[int]:
    return terms + [0] * (length - len(terms))


def _value(terms: list[int], power: int) -> int:
    """A polynomial's at a to this power."""
    each = (_times(term, _EXP[at * power % ORDER]) for at, term in enumerate(terms))
    return reduce(int.__xor__, each, 0)
