# SPDX-License-Identifier: Apache-2.0
"""A checkpoint's list of tensors is made while it is signed: what is too long is not received."""

from __future__ import annotations

import json

import pytest

from registry.catalog import services
from registry.catalog.errors import ContentRefused
from registry.catalog.services import receiving
from tests.registry.catalog.world import FILES, World, by_person, publish

pytestmark = pytest.mark.django_db
META = {"__metadata__"}
WEIGHTS = FILES["model.safetensors"]
COUNT = len(json.loads(WEIGHTS[8 : 8 + int.from_bytes(WEIGHTS[:8], "little")]).keys() - META)


def test_one_file_counts_under_each_of_its_names(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(by_person(world))
    monkeypatch.setattr(receiving, "MAX_LISTED_TENSORS", COUNT * 2)
    services.receive(by_person(world, "two", {**FILES, "b.safetensors": WEIGHTS}))
    files = {**FILES, "b.safetensors": WEIGHTS, "c.safetensors": WEIGHTS}
    with pytest.raises(ContentRefused, match=f"at most {COUNT * 2} tensors in all .* {COUNT * 3}"):
        services.receive(by_person(world, "three", files))
