# SPDX-License-Identifier: Apache-2.0
"""Xet's names: the vectors of its specification and of the clients' own tests."""

from __future__ import annotations

import pytest

from registry.hub.xet import hashes
from registry.hub.xet.errors import InvalidHash

A = "cfc5d07f6f03c29bbf424132963fe08d19a37d5757aaf520bf08119f05cd56d6"
B = "c3e67584b5c4fc2a89837ec39e40f2c8a6bb0b2987ac94cd4b31e5fbdd210a72"
C = "0d2beb91b9196929a5ddec9f6e306924ddf4a24268e3e59fd8464738d525af37"
D = "adf8773496a9b7319b2e50dc98093f344053b17d8ad37100b9c07d9805988784"
SIZES = {A: 100, B: 200, C: 300, D: 400}


def test_a_hash_is_written_as_four_little_endian_words() -> None:
    text = "07060504030201000f0e0d0c0b0a090817161514131211101f1e1d1c1b1a1918"
    assert hashes.written(bytes(range(32))) == text
    assert hashes.read(text) == bytes(range(32))


@pytest.mark.parametrize(
    "text", ["", "ab", "A" * 64, "g" * 64, "0" * 63, "0" * 65, "0" * 63 + "\n"]
)
def test_what_is_no_hash_is_refused(text: str) -> None:
    with pytest.raises(InvalidHash, match="expected 64 lower-case hexadecimal digits"):
        hashes.read(text)


@pytest.mark.parametrize(
    ("leaves", "root"),
    [
        ((), "0" * 64),
        ((A,), A),
        ((A, B, C), "71ec1275fca074724e2dd666921b3277c7cee603e4d025bcab2d4050015be2bc"),
        ((A, A, A, A), "89f2ada89ff8c96763c6b25010e6dd76a4c05b1466207633ea559acf2093211b"),
        ((A, B, A, B), "90f8313ef12df385d237a067aded02562c35ded12116e32eba401dbc86c38031"),
        ((A, B, A, B, C, D), "52c826f99507aa05d0b45e9837fa1709e0485425cfbcb1e80db3905cf98b3ee9"),
    ],
)
def test_the_tree_over_chunks_is_the_clients(leaves: tuple[str, ...], root: str) -> None:
    nodes = [(hashes.read(leaf), SIZES[leaf]) for leaf in leaves]
    assert hashes.written(hashes.of_tree(nodes)) == root


def test_a_node_has_two_to_nine_children() -> None:
    """Words that never end a node make it as wide as may be; those that always do, three wide."""
    never, always = (bytes(24) + word.to_bytes(8, "little") for word in (1, 0))
    nine = hashes.of_tree([(never, 1)] * 9)
    assert hashes.of_tree([(never, 1)] * 18) == hashes.of_tree([(nine, 9)] * 2)
    three = hashes.of_tree([(always, 1)] * 3)
    assert hashes.of_tree([(always, 1)] * 6) == hashes.of_tree([(three, 3)] * 2)


def test_each_kind_of_hash_has_its_own_key() -> None:
    assert len({hashes.of_chunk(b"x"), hashes.of_range(b"x"), hashes.DATA_KEY}) == 3
