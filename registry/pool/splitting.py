# SPDX-License-Identifier: Apache-2.0
"""Which files of a data set are held out for validation, as the trainer decides it by digest."""

from __future__ import annotations

from assay.signing.manifest import Manifest

SHARES = (20, 10, 5, 3, 2)
SPLIT_DIGITS = 8


def share_of(manifest: Manifest) -> int | None:
    """One file in how many is held out: the usual share, or what a small data set needs.

    None where no share leaves a file on each side.
    """
    digests = [entry.sha256 for entry in manifest.files]
    for one_in in SHARES:
        held_out = sum(int(digest[:SPLIT_DIGITS], 16) % one_in == 0 for digest in digests)
        if 0 < held_out < len(digests):
            return one_in
    return None
