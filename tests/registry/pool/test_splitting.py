# SPDX-License-Identifier: Apache-2.0
"""Which share of a data set is held out is decided here as the trainer decides it."""

from __future__ import annotations

import pytest

from assay.signing.digests import sha256
from assay.signing.manifest import FileEntry, Manifest
from assay.trainers import data
from assay.trainers.errors import UnusableData
from registry.pool.splitting import share_of


def manifest(count: int, seed: int) -> Manifest:
    """Files of which nothing matters but their digests."""
    names = [f"{seed}/{number}.txt" for number in range(count)]
    return Manifest.of(FileEntry(name=name, sha256=sha256(name.encode()), size=1) for name in names)


def as_trained(of: Manifest) -> int | None:
    try:
        return data.split_for(of)
    except UnusableData:
        return None


@pytest.mark.parametrize("count", [1, 2, 3, 5, 9, 60])
def test_the_trainer_decides_alike(count: int) -> None:
    many = [manifest(count, seed) for seed in range(40)]
    assert [share_of(each) for each in many] == [as_trained(each) for each in many]


def test_a_large_data_set_has_the_usual_share_and_one_file_none() -> None:
    assert share_of(manifest(200, 0)) == 20
    assert share_of(manifest(1, 0)) is None
