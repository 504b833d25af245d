# SPDX-License-Identifier: Apache-2.0
"""The root of a ledger's tree by the standard's own words: what our faster ways must agree with."""

import hashlib
from collections.abc import Sequence


def root_of(leaf_hashes: Sequence[bytes]) -> bytes:
    """RFC 9162, 2.1.1: the largest power of two below their number stands to the left."""
    if not leaf_hashes:
        return hashlib.sha256().digest()
    if len(leaf_hashes) == 1:
        return leaf_hashes[0]
    split = 1 << (len(leaf_hashes) - 1).bit_length() - 1
    left, right = root_of(leaf_hashes[:split]), root_of(leaf_hashes[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()
